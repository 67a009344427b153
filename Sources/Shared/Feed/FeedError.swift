import BlobStore
import BuildModel
import Glibc

/// A feed, an index or a package that cannot be used, and why.
package enum FeedError: BlamedError {
  case system(operation: String, path: String, errno: Int32)
  /// An index or package is not what its format demands.
  case malformed(file: String, reason: String)
  /// A package breaks a rule for what may be in it.
  case refused(package: String, entry: String, rule: String)
  /// The index and the files do not agree.
  case inconsistent(file: String, reason: String)
  /// A package that was asked for is not in the feed.
  case missing(package: PackageName, feed: String, nearest: [String])
  /// A path that was named as a feed and is not the one that was meant; the reason goes on after the path.
  case noFeed(String, reason: String, hint: String?)
  /// A name that was asked for is no package's, and several packages provide it.
  case ambiguous(package: PackageName, feed: String, providers: [String])
  /// No tune and no machine of the table is called so.
  case unknownTune(String, known: [String])
  case store(BlobStoreError)

  package var blame: Blame {
    switch self {
    case .malformed, .refused, .inconsistent, .missing, .noFeed, .ambiguous, .unknownTune: .request
    case .store: .coordinator
    case .system(_, _, let code): PathFault.isCause(of: code) ? .request : .coordinator
    }
  }

  package var description: String {
    switch self {
    case .system(let operation, let path, let code): "\(operation) \(path): \(String(cString: strerror(code)))"
    case .malformed(let file, let reason): "\(file): \(reason)"
    case .refused(let package, let entry, let rule): "package \(package): entry '\(entry)' is refused: \(rule)"
    case .inconsistent(let file, let reason): "feed: \(file): \(reason)"
    case .missing(let package, let feed, let nearest):
      "feed \(feed): package '\(package)' is not there" + (nearest.isEmpty ? "" : "; nearest: \(nearest.joined(separator: ", "))")
    case .noFeed(let path, let reason, let hint): "\(path) \(reason)\(hint.map { "; " + $0 } ?? "")"
    case .ambiguous(let package, let feed, let providers):
      "feed \(feed): no package is called '\(package)', and \(providers.count) provide it: \(providers.joined(separator: ", ")); name the one that is meant"
    case .unknownTune(let name, let known):
      "no architectures are known for '\(name)'; give PACKAGE_ARCHS itself (bitbake -e shows it), or one of: \(known.joined(separator: ", "))"
    case .store(let error): error.description
    }
  }

  /// What is wrong, without the file that it is about.
  var reason: String {
    switch self {
    case .system(let operation, _, let code): "\(operation): \(String(cString: strerror(code)))"
    case .malformed(_, let reason), .inconsistent(_, let reason): reason
    case .refused(_, let entry, let rule): "entry '\(entry)' is refused: \(rule)"
    case .missing, .noFeed, .ambiguous, .unknownTune, .store: description
    }
  }
}
