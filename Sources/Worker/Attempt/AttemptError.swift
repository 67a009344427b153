import BuildModel
import Glibc

/// What can go wrong with an attempt's files.
package enum AttemptError: Error, Sendable, CustomStringConvertible {
  case unknown(AttemptID)
  case system(operation: String, path: String, errno: Int32)
  /// A file of the attempt is not what the worker writes.
  case malformed(path: String, reason: String)

  package var description: String {
    switch self {
    case .unknown(let attempt): "attempt \(attempt) is not known on this host"
    case .system(let operation, let path, let code): "\(operation) \(path): \(String(cString: strerror(code)))"
    case .malformed(let path, let reason): "\(path): \(reason)"
    }
  }

  /// Whether the host's disk, or the account's part of it, is full.
  package var isOutOfSpace: Bool {
    if case .system(_, _, let code) = self { code == ENOSPC || code == EDQUOT } else { false }
  }
}
