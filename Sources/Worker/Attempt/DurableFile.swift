import BlobStore
import Glibc

/// Files that are whole or not there, also after a power cut.
package enum DurableFile {
  /// Writes under a temporary name, syncs, renames, and syncs the directory.
  package static func write(_ bytes: [UInt8], to path: String) throws(AttemptError) {
    let temporary = "\(path).\(getpid()).new"
    let descriptor = open(temporary, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw .system(operation: "create", path: temporary, errno: errno) }
    do throws(AttemptError) {
      try append(bytes, to: descriptor, path: temporary)
      guard fsync(descriptor) == 0 else { throw .system(operation: "sync", path: temporary, errno: errno) }
    } catch {
      close(descriptor)
      unlink(temporary)
      throw error
    }
    close(descriptor)
    guard rename(temporary, path) == 0 else { throw .system(operation: "rename", path: path, errno: errno) }
    try syncDirectory(of: path)
  }

  static func append(_ bytes: [UInt8], to descriptor: Int32, path: String) throws(AttemptError) {
    if let code = bytes.withUnsafeBytes({ FileWriter.write($0, to: descriptor) }) { throw .system(operation: "write", path: path, errno: code) }
  }

  /// Makes names in the directory that holds `path` durable.
  package static func syncDirectory(of path: String) throws(AttemptError) {
    let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system(operation: "open", path: directory, errno: errno) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw .system(operation: "sync", path: directory, errno: errno) }
  }

  /// A small file's bytes; nil when it is not there.
  package static func read(_ path: String, limit: Int) throws(AttemptError) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    if descriptor < 0 {
      if errno == ENOENT { return nil }
      throw .system(operation: "open", path: path, errno: errno)
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .system(operation: "stat", path: path, errno: errno) }
    guard status.st_size <= limit else { throw .malformed(path: path, reason: "is larger than \(limit) bytes") }
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
    var filled = 0
    while filled < bytes.count {
      let wanted = bytes.count - filled
      let count = bytes.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress?.advanced(by: filled), wanted) }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw .system(operation: "read", path: path, errno: errno) }
      if count == 0 { break }
      filled += count
    }
    return Array(bytes[..<filled])
  }
}
