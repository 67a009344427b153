import BlobStore
import BuildModel
import Glibc

/// The own log of a bitbake task, as a file in a build's work tree.
package struct TaskLogFile: Sendable {
  /// Bytes that are kept of a log: its end.
  package static let limit = 4 << 20

  /// Where it is on this host.
  package let path: String
  /// `<recipe>.<task>.log`
  package let name: String

  /// Finds the log of a failed task. The build may have seen its tree at another path (in a container): what follows `build/` counts then.
  /// nil when there is none, or it lies outside of the tree.
  package init?(of task: BitbakeConsole.FailedTask, in tree: BuildTree) {
    guard let logfile = task.logfile else { return nil }
    let parts = logfile.split(separator: "/").map(String.init)
    let inTree = logfile.hasPrefix(tree.path + "/") ? [String(logfile.dropFirst(tree.path.count + 1))] : []
    let below = parts.indices.filter { parts[$0] == "build" }.map { parts[$0...].joined(separator: "/") }
    guard let path = (inTree + below).lazy.compactMap({ try? tree.locate($0) }).first(where: Self.isFile) else { return nil }
    self.path = path
    name = "\(Self.safe(task.recipe)).\(Self.safe(task.task)).log"
  }

  /// The log's end, at most ``limit`` bytes, and how many bytes before it are left out.
  package func end() throws(YoctoError) -> (bytes: [UInt8], left: Int64) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system(operation: "open", path: path, errno: errno) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .system(operation: "stat", path: path, errno: errno) }
    let left = max(0, Int64(status.st_size) - Int64(Self.limit))
    var bytes = [UInt8](repeating: 0, count: Int(min(Int64(status.st_size), Int64(Self.limit))))
    var filled = 0
    while filled < bytes.count {
      let wanted = bytes.count - filled
      let offset = off_t(left) + off_t(filled)
      let count = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress?.advanced(by: filled), wanted, offset) }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw .system(operation: "read", path: path, errno: errno) }
      if count == 0 { break }
      filled += count
    }
    return (Array(bytes[..<filled]), left)
  }

  private static func isFile(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
  }

  /// A name from a console as a part of a file name.
  private static func safe(_ text: String) -> String {
    let kept = text.prefix(100).map { $0.isASCII && ($0.isLetter || $0.isNumber || "-_+.".contains($0)) ? $0 : "_" }
    return String(kept).hasPrefix(".") ? "_" + String(kept) : String(kept)
  }
}
