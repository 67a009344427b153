import BuildModel
import Glibc
import Reports

/// An output file that is open as long as the object lives.
final class FileHandleWriter {
  private let descriptor: Int32
  private let path: String

  /// Creates the file or empties it.
  init(path: String) throws(ReportError) {
    self.path = path
    if let reason = OutputPath.reasonNotFile(path) { throw ReportError(output: path, reason: reason) }
    descriptor = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw ReportError(operation: "create", path: path, errno: errno) }
  }

  deinit { close(descriptor) }

  func write(_ bytes: [UInt8]) throws(ReportError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw ReportError(operation: "write", path: path, errno: errno) }
      rest = rest.dropFirst(count)
    }
  }
}
