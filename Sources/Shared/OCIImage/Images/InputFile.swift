import Glibc

/// A regular file that is open for reading as long as the object lives. A symbolic link at its place is not followed.
final class InputFile {
  let path: String
  let size: Int64
  private let descriptor: Int32

  init(path: String) throws(OCIImageError) {
    self.path = path
    descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard descriptor >= 0 else { throw .system(operation: "open", path: path, errno: errno) }
    var status = stat()
    let isKnown = fstat(descriptor, &status) == 0
    size = Int64(status.st_size)
    guard isKnown, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw .malformed(what: path, reason: "is no regular file")
    }
  }

  deinit { close(descriptor) }

  /// Exactly `count` bytes.
  func bytes(at offset: Int64, count: Int) throws(OCIImageError) -> [UInt8] {
    guard count >= 0, offset >= 0, Int64(count) <= size - offset else { throw .malformed(what: path, reason: "ends in the middle") }
    var bytes = [UInt8](repeating: 0, count: count)
    var failure: OCIImageError?
    bytes.withUnsafeMutableBytes { buffer in
      do throws(OCIImageError) { try fill(buffer, at: offset) } catch { failure = error }
    }
    if let failure { throw failure }
    return bytes
  }

  /// Streams `range` in pieces of at most 256 KiB.
  func read(_ range: Range<Int64>, body: (UnsafeRawBufferPointer) throws -> Void) throws {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 4096)
    defer { buffer.deallocate() }
    var offset = range.lowerBound
    while offset < range.upperBound {
      let piece = UnsafeMutableRawBufferPointer(rebasing: buffer[..<Int(min(Int64(buffer.count), range.upperBound - offset))])
      try fill(piece, at: offset)
      try body(UnsafeRawBufferPointer(piece))
      offset += Int64(piece.count)
    }
  }

  private func fill(_ buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(OCIImageError) {
    var done = 0
    while done < buffer.count {
      let count = pread(descriptor, buffer.baseAddress.map { $0 + done }, buffer.count - done, off_t(offset) + off_t(done))
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw .system(operation: "read", path: path, errno: errno) }
      guard count > 0 else { throw .malformed(what: path, reason: "became shorter while it was read") }
      done += count
    }
  }
}
