import BlobStore
import Glibc

/// Reads files and directories of a checkout.
enum RepositoryFiles {
  static func names(_ directory: String) throws(PlanningError) -> [String] {
    guard let names = FileReader.names(in: directory) else {
      throw .unreadable(file: directory, line: nil, reason: String(cString: strerror(errno)))
    }
    return names
  }

  static func isDirectory(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_mode & 0o170000 == 0o040000
  }

  static func contents(_ path: String) throws(PlanningError) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw .unreadable(file: path, line: nil, reason: String(cString: strerror(errno))) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & 0o170000 == 0o100000 else {
      throw .unreadable(file: path, line: nil, reason: "is no regular file")
    }
    var bytes = [UInt8](repeating: 0, count: 64 << 10)
    var result: [UInt8] = []
    while true {
      let count = Glibc.read(descriptor, &bytes, bytes.count)
      guard count >= 0 else { throw .unreadable(file: path, line: nil, reason: String(cString: strerror(errno))) }
      if count == 0 { return result }
      result += bytes[..<count]
      guard result.count <= 4 << 20 else { throw .unreadable(file: path, line: nil, reason: "is larger than 4 MiB") }
    }
  }
}
