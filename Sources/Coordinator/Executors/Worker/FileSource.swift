import BoundedConcurrency
import BuildModel
import Glibc

/// A local file that is streamed into a worker verb.
struct FileSource {
  let path: String
  private static let pieceSize = 1 << 20

  /// False when the process takes no more input. With `exactly`, a file of another length is refused.
  func send(exactly size: Int64?, to process: any WorkerProcess) async throws -> Bool {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw ExecutorError.local(operation: "open", path: path, errno: errno) }
    defer { close(descriptor) }
    var left = size
    // The next piece is read while the last is sent.
    var next = try await piece(descriptor, at: 0)
    var offset: Int64 = 0
    while !next.isEmpty {
      let current = next
      offset += Int64(current.count)
      if let remaining = left {
        guard remaining >= current.count else { throw ExecutorError.local(operation: "read: it has grown", path: path, errno: EIO) }
        left = remaining - Int64(current.count)
      }
      let position = offset
      async let following = piece(descriptor, at: position)
      let isTaken = try await process.write(current)
      next = try await following
      if !isTaken { return false }
    }
    guard left ?? 0 == 0 else { throw ExecutorError.local(operation: "read: it is shorter than it was", path: path, errno: EIO) }
    return true
  }

  private func piece(_ descriptor: Int32, at offset: Int64) async throws -> [UInt8] {
    let path = path
    return try await BlockingWork.run {
      var failure: Int32 = 0
      let bytes = [UInt8](unsafeUninitializedCapacity: Self.pieceSize) { buffer, count in
        repeat {
          let got = pread(descriptor, buffer.baseAddress, Self.pieceSize, off_t(offset))
          failure = got < 0 ? errno : 0
          count = max(0, got)
        } while failure == EINTR
      }
      guard failure == 0 else { throw ExecutorError.local(operation: "read", path: path, errno: failure) }
      return bytes
    }
  }
}
