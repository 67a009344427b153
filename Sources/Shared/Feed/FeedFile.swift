import BlobStore
import FoundationEssentials
import Glibc

/// The few file operations that reading a feed needs. Links are never followed: a feed's content lies in the feed.
enum FeedFile {
  /// Names in a directory, sorted.
  static func list(_ directory: String) throws(FeedError) -> [String] {
    guard let names = FileReader.names(in: directory) else { throw .system(operation: "opendir", path: directory, errno: errno) }
    return names
  }

  static func isDirectory(_ path: String) -> Bool { kind(path) == S_IFDIR }
  static func exists(_ path: String) -> Bool { kind(path) != nil }

  /// The S_IF* bits of the path itself, nil when nothing is there.
  static func kind(_ path: String) -> mode_t? {
    var status = stat()
    return lstat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
  }

  /// Bytes of a regular file, 0 where there is none.
  static func size(_ path: String) -> Int64 {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG ? Int64(status.st_size) : 0
  }

  /// Opens for reading what is a regular file; a link, a pipe or a device is refused without being touched. The caller closes.
  static func openRegular(_ path: String) throws(FeedError) -> Int32 {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard descriptor >= 0 else {
      if errno == ELOOP { throw .inconsistent(file: path, reason: "is a symbolic link") }
      throw .system(operation: "open", path: path, errno: errno)
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw .inconsistent(file: path, reason: "is no regular file")
    }
    return descriptor
  }

  /// Calls `body` with pieces of at most 256 KiB.
  static func stream(_ path: String, body: (UnsafeRawBufferPointer) -> Void) throws(FeedError) {
    let descriptor = try openRegular(path)
    defer { close(descriptor) }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 4096)
    defer { buffer.deallocate() }
    while true {
      let count = read(descriptor, buffer.baseAddress, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw .system(operation: "read", path: path, errno: errno) }
      if count == 0 { return }
      body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
  }

  /// Writes a file under a temporary name beside it, synced; `replace` moves it into place. Returns the temporary name.
  static func writeBeside(_ path: String, pieces: [[UInt8]]) throws(FeedError) -> String {
    let temporary = "\(path).\(getpid()).new"
    unlink(temporary)
    let descriptor = open(temporary, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0o644)
    guard descriptor >= 0 else { throw .system(operation: "create", path: temporary, errno: errno) }
    defer { close(descriptor) }
    for piece in pieces {
      var written = 0
      while written < piece.count {
        let count = piece.withUnsafeBytes { write(descriptor, $0.baseAddress?.advanced(by: written), piece.count - written) }
        if count < 0, errno == EINTR { continue }
        guard count > 0 else {
          let cause = errno
          unlink(temporary)
          throw .system(operation: "write", path: temporary, errno: cause)
        }
        written += count
      }
    }
    guard fsync(descriptor) == 0 else {
      let cause = errno
      unlink(temporary)
      throw .system(operation: "sync", path: temporary, errno: cause)
    }
    return temporary
  }
}
