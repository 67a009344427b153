import BlobStore
import CDeflate
import Dispatch
import Glibc

/// Compresses a stream as gzip members of a fixed amount of input each, on all cores, in order.
///
/// gzip members may be concatenated (RFC 1952 section 2.2). As each member depends on its own input alone, the bytes are the same whatever the
/// number of cores; they depend on libdeflate's version, its level and the chunk size (``identity``).
package final class GzipChunks {
  package static let chunkSize = 1 << 20
  package static let level: Int32 = 4
  /// Names everything besides the input that the compressed bytes depend on.
  package static let identity = "libdeflate-\(LIBDEFLATE_VERSION_STRING)-level-\(level)-chunk-\(chunkSize)"

  /// One chunk on its way; written by its job before the semaphore is signalled, read after it.
  private final class Job: @unchecked Sendable {
    let input: LayerChunk
    var output: [UInt8] = []
    let done = DispatchSemaphore(value: 0)
    init(_ input: LayerChunk) { self.input = input }
  }

  private let writer: BlobWriter
  private var jobs: [Job] = []
  private var chunk = LayerChunk()
  private let limit: Int
  private static let pool = DispatchQueue(label: "blockfarm.gzip", attributes: .concurrent)

  /// Compressed bytes go to `writer`.
  package init(into writer: BlobWriter) {
    self.writer = writer
    limit = max(2, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) + 1
  }

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
    while !jobs.isEmpty { try takeFirst() }
  }

  private func submit() throws(OCIImageError) {
    let full = chunk
    chunk = LayerChunk()
    try submit(full)
  }

  /// Compresses a chunk that was filled elsewhere; all but the last must be full. Not to be mixed with ``write(_:)``.
  func submit(_ chunk: LayerChunk) throws(OCIImageError) {
    if jobs.count >= limit { try takeFirst() }
    let job = Job(chunk)
    jobs.append(job)
    Self.pool.async {
      job.output = Self.compress(job.input.bytes)
      job.done.signal()
    }
  }

  private func takeFirst() throws(OCIImageError) {
    let job = jobs.removeFirst()
    job.done.wait()
    guard !job.output.isEmpty else { throw .compression("libdeflate gave no output for \(job.input.count) bytes") }
    do { try writer.write(job.output) } catch { throw .store(error) }
  }

  private static func compress(_ input: UnsafeRawBufferPointer) -> [UInt8] {
    guard let compressor = libdeflate_alloc_compressor(level) else { return [] }
    defer { libdeflate_free_compressor(compressor) }
    let bound = libdeflate_gzip_compress_bound(compressor, input.count)
    return [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
      count = libdeflate_gzip_compress(compressor, input.baseAddress, input.count, buffer.baseAddress, bound)
    }
  }
}
