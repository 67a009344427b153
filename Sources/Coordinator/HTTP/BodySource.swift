import Glibc

/// What a request's body is read from while it is sent. Belongs to the loop's thread.
final class BodySource {
  private let body: HTTPRequest.Body
  private let descriptor: Int32
  private var position: Int64 = 0
  /// Why reading stopped.
  private(set) var error: HTTPError?

  /// Opens the file, if it is one.
  init(_ body: HTTPRequest.Body) throws(HTTPError) {
    self.body = body
    guard case .file(let path, let offset, let length) = body else {
      descriptor = -1
      return
    }
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .local(operation: "open", path: path, errno: errno) }
    posix_fadvise(descriptor, off_t(offset), off_t(length), POSIX_FADV_SEQUENTIAL)
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Whether bytes have been given out.
  var hasBegun: Bool { position > 0 }

  /// The number of bytes put into the buffer, 0 at the end; nil after an error.
  func read(into buffer: UnsafeMutableRawBufferPointer) -> Int? {
    let count = Int(min(Int64(buffer.count), body.length - position))
    if count == 0 { return 0 }
    switch body {
    case .none: return 0
    case .bytes(let bytes):
      let start = Int(position)
      bytes.withUnsafeBytes { buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[start..<start + count])) }
      position += Int64(count)
      return count
    case .file(let path, let offset, _):
      while true {
        let got = pread(descriptor, buffer.baseAddress, count, off_t(offset + position))
        if got < 0, errno == EINTR { continue }
        guard got > 0 else {
          error = .local(operation: "read", path: path, errno: got == 0 ? ESTALE : errno)
          return nil
        }
        position += Int64(got)
        return got
      }
    }
  }

  func rewind(to offset: Int64) { position = offset }
}
