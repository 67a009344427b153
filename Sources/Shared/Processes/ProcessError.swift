import BuildModel
import Glibc

/// A program that could not be run, or whose output broke a bound.
package enum ProcessError: BlamedError, Hashable {
  /// `path` is the list of directories in which it was looked for.
  case notFound(program: String, path: String)
  case system(operation: String, subject: String, errno: Int32)
  /// `limit` in bytes. The program was ended.
  case tooMuchOutput(program: String, limit: Int)

  /// Programs run on the machine that asks; on a worker that is the host.
  package var blame: Blame { .coordinator }

  package var description: String {
    switch self {
    case .notFound(let program, let path): "program '\(program)' is not in PATH (\(path.isEmpty ? "which is empty" : path))"
    case .system(let operation, let subject, let code): "\(operation) \(subject): \(String(cString: strerror(code)))"
    case .tooMuchOutput(let program, let limit): "'\(program)' wrote more than \(limit) bytes"
    }
  }
}
