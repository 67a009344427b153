import Glibc

/// Reads files in bounded pieces.
package enum FileReader {
  private static let chunk = 1 << 20

  /// Calls `body` with each piece (at most 1 MiB, valid during the call) from the start to the end of the file, or of a part of it.
  package static func read(
    _ path: String, from offset: Int64 = 0, count: Int64 = .max, body: (UnsafeRawBufferPointer) throws(BlobStoreError) -> Void
  ) throws(BlobStoreError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system(operation: "open", path: path, errno: errno) }
    defer { close(descriptor) }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: chunk, alignment: 4096)
    defer { buffer.deallocate() }
    guard offset == 0 || lseek(descriptor, off_t(offset), SEEK_SET) == offset else { throw .system(operation: "seek in", path: path, errno: errno) }
    var left = count
    while left > 0 {
      let count = Glibc.read(descriptor, buffer.baseAddress, Int(min(Int64(chunk), left)))
      if count < 0 {
        if errno == EINTR { continue }
        throw .system(operation: "read", path: path, errno: errno)
      }
      if count == 0 { return }
      left -= Int64(count)
      try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
  }

  /// All names in a directory, sorted; nil when it cannot be opened, and errno says why.
  package static func names(in directory: String) -> [String]? {
    guard let handle = opendir(directory) else { return nil }
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

  /// Copies a file's content to a new file; long runs of zeros become holes.
  package static func copy(_ source: String, to destination: String) throws(BlobStoreError) {
    let output = open(destination, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0o644)
    guard output >= 0 else { throw .system(operation: "create", path: destination, errno: errno) }
    defer { close(output) }
    var writer = SparseOutput(descriptor: output, path: destination)
    try read(source) { (piece: UnsafeRawBufferPointer) throws(BlobStoreError) in try writer.append(piece) }
    try writer.finish()
  }
}
