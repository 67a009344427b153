import Glibc

/// An open regular file that is read and written at offsets; closed when it goes out of scope.
struct DiskFile: ~Copyable {
  enum Mode { case read, update, create }

  let descriptor: Int32
  /// For messages.
  let path: String

  init(_ path: String, _ mode: Mode) throws(PreloadError) {
    let flags: Int32 =
      switch mode {
      // A pipe would wait for a writer before it can be refused.
      case .read: O_RDONLY | O_NONBLOCK
      case .update: O_RDWR
      case .create: O_RDWR | O_CREAT | O_EXCL
      }
    let opened = open(path, flags | O_CLOEXEC, 0o644)
    guard opened >= 0 else { throw .system(operation: "open", path: path, errno: errno) }
    descriptor = opened
    self.path = path
  }

  deinit { close(descriptor) }

  func status() throws(PreloadError) -> stat {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw failed("stat") }
    return status
  }

  func size() throws(PreloadError) -> Int64 { Int64(try status().st_size) }

  /// Exactly `count` bytes; a file that ends before is an error.
  func read(_ count: Int, at offset: Int64) throws(PreloadError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var done = 0
    while done < count {
      let got = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress.map { $0 + done }, count - done, off_t(offset) + off_t(done)) }
      if got < 0 && errno == EINTR { continue }
      guard got >= 0 else { throw failed("read") }
      guard got > 0 else {
        throw .unusableDiskImage(path: path, reason: "ends before byte \(offset + Int64(count)); it is truncated")
      }
      done += got
    }
    return bytes
  }

  func write(_ bytes: [UInt8], at offset: Int64) throws(PreloadError) {
    var code: Int32 = 0
    bytes.withUnsafeBytes { code = writeAll($0, at: offset) }
    guard code == 0 else { throw .system(operation: "write", path: path, errno: code) }
  }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(PreloadError) {
    let code = writeAll(bytes, at: offset)
    guard code == 0 else { throw .system(operation: "write", path: path, errno: code) }
  }

  private func writeAll(_ bytes: UnsafeRawBufferPointer, at offset: Int64) -> Int32 {
    var done = 0
    while done < bytes.count {
      let count = pwrite(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done, off_t(offset) + off_t(done))
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { return errno }
      done += count
    }
    return 0
  }

  func truncate(to size: Int64) throws(PreloadError) {
    guard ftruncate(descriptor, off_t(size)) == 0 else { throw failed("resize") }
  }

  func sync() throws(PreloadError) {
    guard fsync(descriptor) == 0 else { throw failed("sync") }
  }

  func failed(_ operation: String) -> PreloadError { .system(operation: operation, path: path, errno: errno) }
}
