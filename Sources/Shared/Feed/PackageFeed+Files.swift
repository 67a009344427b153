import FoundationEssentials
import Glibc

/// The few file operations that reading a feed needs.
extension PackageFeed {
  static func list(_ directory: String) throws(FeedError) -> [String] {
    guard let handle = opendir(directory) else { throw .system(operation: "opendir", path: directory, errno: errno) }
    defer { closedir(handle) }
    var names: [String] = []
    while let entry = readdir(handle) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  static func isDirectory(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  static func contents(_ path: String, limit: Int) throws(FeedError) -> [UInt8] {
    var bytes: [UInt8] = []
    var isTooLarge = false
    try stream(path) { piece in
      if bytes.count + piece.count > limit { isTooLarge = true } else { bytes.append(contentsOf: piece) }
    }
    if isTooLarge { throw .malformed(file: path, reason: "is larger than \(limit >> 20) MiB") }
    return bytes
  }

  static func stream(_ path: String, body: (UnsafeRawBufferPointer) -> Void) throws(FeedError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system(operation: "open", path: path, errno: errno) }
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
}
