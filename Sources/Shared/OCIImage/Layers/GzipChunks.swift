import BlobStore
import BoundedConcurrency
import BuildModel
import CDeflate

/// Compresses a stream as gzip members of a fixed amount of input each, on all cores, in order.
///
/// gzip members may be concatenated (RFC 1952 section 2.2). As each member depends on its own input alone, the bytes are the same whatever the
/// number of cores; they depend on libdeflate's version, its level and the chunk size (``identity``).
package final class GzipChunks {
  package static let chunkSize = LayerChunk.size
  package static let level: Int32 = 4
  /// Names everything besides the input that the compressed bytes depend on.
  package static let identity = "libdeflate-\(LIBDEFLATE_VERSION_STRING)-level-\(level)-chunk-\(chunkSize)"

  private let writer: BlobWriter
  private var chunk = LayerChunk()
  private let members = OrderedPipeline { (chunk: LayerChunk) throws(OCIImageError) in try compress(chunk.bytes) }

  /// Compressed bytes go to `writer`.
  package init(into writer: BlobWriter) { self.writer = writer }

  package func write(_ bytes: UnsafeRawBufferPointer) throws(OCIImageError) {
    var rest = bytes
    while !rest.isEmpty {
      rest = UnsafeRawBufferPointer(rebasing: rest[chunk.append(rest)...])
      if chunk.count == Self.chunkSize { try submit() }
    }
  }

  /// Ends the stream; everything is in the writer afterwards.
  package func finish() throws(OCIImageError) {
    if chunk.count > 0 { try submit() }
    while let member = try members.next() { try write(member) }
  }

  private func submit() throws(OCIImageError) {
    let full = chunk
    chunk = LayerChunk()
    try submit(full)
  }

  /// Compresses a chunk that was filled elsewhere; all but the last must be full. Not to be mixed with ``write(_:)``.
  func submit(_ chunk: LayerChunk) throws(OCIImageError) {
    for member in try members.submit(chunk) { try write(member) }
  }

  private func write(_ member: [UInt8]) throws(OCIImageError) {
    do { try writer.write(member) } catch { throw .store(error) }
  }

  private static func compress(_ input: UnsafeRawBufferPointer) throws(OCIImageError) -> [UInt8] {
    guard let compressor = libdeflate_alloc_compressor(level) else { throw .compression("no memory for a compressor") }
    defer { libdeflate_free_compressor(compressor) }
    let bound = libdeflate_gzip_compress_bound(compressor, input.count)
    let member = [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
      count = libdeflate_gzip_compress(compressor, input.baseAddress, input.count, buffer.baseAddress, bound)
    }
    guard !member.isEmpty else { throw .compression("libdeflate gave no output for \(Counted(input.count, "byte"))") }
    return member
  }
}
