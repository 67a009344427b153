import CDeflate
import Glibc

/// Reads what ``GzipChunks`` wrote: gzip members that hold at most one chunk each, inflated one at a time.
///
/// Other gzip files are refused, which also bounds memory and what a hostile layer can make of its bytes (deflate gives at most about 1,030 for one).
package enum GzipMembers {
  /// Calls `body` with each member's content in order (valid during the call).
  package static func read(_ path: String, body: (UnsafeRawBufferPointer) throws -> Void) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw OCIImageError.system(operation: "open", path: path, errno: errno) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw OCIImageError.system(operation: "stat", path: path, errno: errno) }
    let size = Int(status.st_size)
    guard size > 0, let start = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED else {
      throw OCIImageError.malformed(what: path, reason: "is empty or cannot be mapped")
    }
    defer { munmap(start, size) }
    madvise(start, size, Int32(MADV_SEQUENTIAL))
    guard let decompressor = libdeflate_alloc_decompressor() else { throw OCIImageError.compression("no memory for a decompressor") }
    defer { libdeflate_free_decompressor(decompressor) }
    let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: GzipChunks.chunkSize, alignment: 64)
    defer { chunk.deallocate() }
    var offset = 0
    while offset < size {
      var consumed = 0
      var produced = 0
      let result = libdeflate_gzip_decompress_ex(
        decompressor, start + offset, min(size - offset, memberLimit), chunk.baseAddress, chunk.count, &consumed, &produced)
      guard result == LIBDEFLATE_SUCCESS, consumed > 0 else {
        throw OCIImageError.malformed(what: path, reason: "byte \(offset) begins no gzip member of at most \(chunk.count) bytes")
      }
      try body(UnsafeRawBufferPointer(rebasing: chunk[..<produced]))
      offset += consumed
      releasePages(start, upTo: offset)
    }
  }

  /// More than a chunk that does not compress takes.
  private static let memberLimit = GzipChunks.chunkSize + (GzipChunks.chunkSize >> 3)

  /// Gives back what was read, so that a large layer does not count as this process' memory.
  private static func releasePages(_ start: UnsafeMutableRawPointer, upTo offset: Int) {
    let unit = 16 << 20
    let whole = offset / unit * unit
    if whole > 0, offset - whole < GzipChunks.chunkSize * 2 { madvise(start + (whole - unit), unit, Int32(MADV_DONTNEED)) }
  }
}
