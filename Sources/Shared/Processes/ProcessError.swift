import Glibc

/// A program that could not be run, or whose output broke a bound.
package enum ProcessError: Error, Sendable, CustomStringConvertible {
  case notFound(program: String)
  case system(operation: String, subject: String, errno: Int32)
  case tooMuchOutput(program: String, limit: Int)

  package var description: String {
    switch self {
    case .notFound(let program): "program '\(program)' is not in PATH"
    case .system(let operation, let subject, let code): "\(operation) \(subject): \(String(cString: strerror(code)))"
    case .tooMuchOutput(let program, let limit): "'\(program)' wrote more than \(limit) bytes"
    }
  }

  /// Whether the host has run out of disk, memory or processes.
  package var isHostTrouble: Bool {
    if case .system(_, _, let code) = self { [ENOSPC, EDQUOT, ENOMEM, EAGAIN, EIO, EMFILE, ENFILE].contains(code) } else { false }
  }
}
