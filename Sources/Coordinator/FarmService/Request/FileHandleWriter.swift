import BlobStore
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
    if let code = bytes.withUnsafeBytes({ FileWriter.write($0, to: descriptor) }) {
      throw ReportError(operation: "write", path: path, errno: code)
    }
  }
}
