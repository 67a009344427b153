import BlobStore
import BuildModel
import FoundationEssentials
import Glibc

/// A build context on disk: a block's directory with the feed at `ipk/`, as the historic block builds had it.
package struct DockerfileContext: Sendable {
  /// Absolute path; it is the context's alone.
  package let path: String
  private let block: BlockName

  /// Most files a block's directory may have.
  private static let fileLimit = 100_000

  /// Makes the directory, which must not exist.
  package init(at path: String, block: BlockName) throws(BlocksError) {
    self.path = path
    self.block = block
    guard mkdir(path, 0o755) == 0 else { throw .system(operation: "mkdir", path: path, errno: errno) }
  }

  package var dockerfile: String { path + "/Dockerfile" }

  /// Puts in the content of a block's own directory: files (as hard links where that is possible), directories and links as they are.
  /// Returns the Dockerfile's text.
  package func add(directory: String) throws(BlocksError) -> String {
    var count = 0
    try copy(directory, to: path, count: &count)
    var status = stat()
    guard lstat(dockerfile, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw .dockerfile(block: block, "its directory has no regular file 'Dockerfile'")
    }
    guard status.st_size <= 1 << 20 else { throw .dockerfile(block: block, "its Dockerfile is larger than 1 MiB") }
    if lstat(path + "/ipk", &status) == 0 {
      throw .dockerfile(block: block, "its directory has an entry 'ipk', the name under which it is given the feed")
    }
    var bytes: [UInt8] = []
    do { try FileReader.read(dockerfile) { bytes.append(contentsOf: $0) } } catch { throw .store(error) }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Puts in the files of the pre-defined Dockerfile.
  package func add(_ predefined: DockerfileOfPackages) throws(BlocksError) {
    for (name, text) in [("Dockerfile", predefined.dockerfile), ("opkg.conf", predefined.configuration)] {
      guard let file = fopen("\(path)/\(name)", "wxe") else { throw .system(operation: "create", path: "\(path)/\(name)", errno: errno) }
      let isWritten = fputs(text, file) >= 0
      guard fclose(file) == 0, isWritten else { throw .system(operation: "write", path: "\(path)/\(name)", errno: errno) }
    }
  }

  /// Puts in packages and indexes of the feed's directories.
  package func add(feed root: String, architectures: [String]) throws(BlocksError) {
    try make(path + "/ipk")
    for architecture in architectures {
      try make("\(path)/ipk/\(architecture)")
      for name in try names(in: "\(root)/\(architecture)") where name.hasSuffix(".ipk") || name == "Packages" || name == "Packages.gz" {
        let source = "\(root)/\(architecture)/\(name)"
        var status = stat()
        guard stat(source, &status) == 0 else { throw .system(operation: "stat", path: source, errno: errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { continue }
        // Copies: a build step may write to what is mounted into it, and these files may be blobs of a store.
        try copy(source, to: "\(path)/ipk/\(architecture)/\(name)", mode: 0o644)
      }
    }
  }

  private func copy(_ source: String, to destination: String, count: inout Int) throws(BlocksError) {
    for name in try names(in: source) {
      count += 1
      guard count <= Self.fileLimit else { throw .dockerfile(block: block, "its directory has more than \(Self.fileLimit) entries") }
      let (from, to) = ("\(source)/\(name)", "\(destination)/\(name)")
      var status = stat()
      guard lstat(from, &status) == 0 else { throw .system(operation: "stat", path: from, errno: errno) }
      switch status.st_mode & S_IFMT {
      case S_IFDIR:
        try make(to)
        try copy(from, to: to, count: &count)
      case S_IFREG: try file(from, to: to, mode: status.st_mode & 0o777)
      case S_IFLNK:
        var buffer = [CChar](repeating: 0, count: 4097)
        guard readlink(from, &buffer, 4096) > 0, symlink(buffer, to) == 0 else { throw .system(operation: "link", path: to, errno: errno) }
      default: throw .dockerfile(block: block, "'\(name.prefix(200))' in its directory is no file, directory or symbolic link")
      }
    }
  }

  private func file(_ source: String, to destination: String, mode: mode_t) throws(BlocksError) {
    if link(source, destination) == 0 { return }
    guard [EXDEV, EMLINK, EPERM].contains(errno) else { throw .system(operation: "link", path: destination, errno: errno) }
    try copy(source, to: destination, mode: mode)
  }

  private func copy(_ source: String, to destination: String, mode: mode_t) throws(BlocksError) {
    do { try FileReader.copy(source, to: destination) } catch { throw .store(error) }
    guard chmod(destination, mode) == 0 else { throw .system(operation: "chmod", path: destination, errno: errno) }
  }

  private func make(_ directory: String) throws(BlocksError) {
    guard mkdir(directory, 0o755) == 0 else { throw .system(operation: "mkdir", path: directory, errno: errno) }
  }

  private func names(in directory: String) throws(BlocksError) -> [String] {
    guard let names = FileReader.names(in: directory) else { throw .system(operation: "opendir", path: directory, errno: errno) }
    return names
  }
}
