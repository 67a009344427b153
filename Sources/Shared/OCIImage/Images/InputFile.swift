import BuildModel
import Glibc

/// A regular file that is open for reading as long as the object lives.
final class InputFile {
  let path: String
  let size: Int64
  private let descriptor: Int32

  /// A symbolic link is followed only where a person named the file: within a layout it would lead out of it.
  init(path: String, following isFollowed: Bool = false) throws(OCIImageError) {
    self.path = path
    descriptor = open(path, O_RDONLY | O_CLOEXEC | (isFollowed ? 0 : O_NOFOLLOW) | O_NONBLOCK)
    guard descriptor >= 0 else {
      if errno == ELOOP, !isFollowed { throw .malformed(what: path, reason: "it is a symbolic link; a copy of the file must be there") }
      throw .system(operation: "open", path: path, errno: errno)
    }
    var status = stat()
    let isKnown = fstat(descriptor, &status) == 0
    size = Int64(status.st_size)
    guard isKnown, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw .malformed(what: path, reason: "it is not a regular file")
    }
  }

  deinit { close(descriptor) }

  /// Exactly `count` bytes.
  func bytes(at offset: Int64, count: Int) throws(OCIImageError) -> [UInt8] {
    guard count >= 0, offset >= 0, Int64(count) <= size - offset else { throw .malformed(what: path, reason: "it ends in the middle") }
    var bytes = [UInt8](repeating: 0, count: count)
    var failure: OCIImageError?
    bytes.withUnsafeMutableBytes { buffer in
      do throws(OCIImageError) { try fill(buffer, at: offset) } catch { failure = error }
    }
    if let failure { throw failure }
    return bytes
  }

  /// The whole file, which may have `limit` bytes.
  func whole(limit: Int) throws(OCIImageError) -> [UInt8] {
    guard size <= limit else { throw .malformed(what: path, reason: "it has \(Counted(size, "byte")), more than \(limit)") }
    return try bytes(at: 0, count: Int(size))
  }

  /// Fills the buffer with what lies at `offset`.
  func fill(_ buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(OCIImageError) {
    var done = 0
    while done < buffer.count {
      let count = pread(descriptor, buffer.baseAddress.map { $0 + done }, buffer.count - done, off_t(offset) + off_t(done))
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw .system(operation: "read", path: path, errno: errno) }
      guard count > 0 else { throw .malformed(what: path, reason: "it became shorter while it was read") }
      done += count
    }
  }
}
