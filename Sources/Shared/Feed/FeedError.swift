import BuildModel
import Glibc

/// A feed, an index or a package that cannot be used, and why.
package enum FeedError: Error, Sendable, CustomStringConvertible {
  case system(operation: String, path: String, errno: Int32)
  /// An index or package is not what its format demands.
  case malformed(file: String, reason: String)
  /// A package breaks a rule for what may be in it.
  case refused(package: String, entry: String, rule: String)
  /// The index and the files do not agree.
  case inconsistent(file: String, reason: String)

  package var description: String {
    switch self {
    case .system(let operation, let path, let code): "\(operation) \(path): \(String(cString: strerror(code)))"
    case .malformed(let file, let reason): "\(file): \(reason)"
    case .refused(let package, let entry, let rule): "package \(package): entry '\(entry)' is refused: \(rule)"
    case .inconsistent(let file, let reason): "feed: \(file): \(reason)"
    }
  }
}
