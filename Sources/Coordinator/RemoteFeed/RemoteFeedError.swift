import BlobStore
import BuildModel
import Feed
import Glibc
import HTTP

/// Why a feed could not be fetched.
package enum RemoteFeedError: BlamedError {
  /// A text that names no feed.
  case location(String, reason: String)
  /// No name of a directory.
  case architecture(String)
  /// A feed to build from whose order of architecture directories is not known.
  case noArchitectures
  /// None of the directories has an index.
  case noIndex(feed: String, architectures: [String])
  case feed(FeedError)
  case cloud(HTTPError)
  case store(BlobStoreError)
  case system(operation: String, path: String, errno: Int32)

  package var blame: Blame {
    switch self {
    case .location, .noArchitectures, .architecture, .noIndex: .request
    case .feed(let error): error.blame
    case .cloud(let error): error.blame
    case .store, .system: .coordinator
    }
  }

  package var description: String {
    switch self {
    case .location(let text, let reason): "'\(text.prefix(400))' names no feed: \(reason)"
    case .architecture(let text): "'\(text.prefix(100))' is not the name of an architecture directory"
    case .noArchitectures: "--feed needs the order of its architecture directories: say it with --archs or --tune"
    case .noIndex(let feed, let architectures):
      "feed \(feed): none of the directories \(architectures.joined(separator: " ")) has Packages.gz or Packages; is it the directory above the architectures?"
    case .feed(let error): error.description
    case .cloud(.mismatch(let what, let expected, let found)):
      "\(what) is \(found), its index promises \(expected); the feed may have changed while it was read: try again"
    case .cloud(let error): error.description
    case .store(let error): error.description
    case .system(let operation, let path, let code): "\(operation) \(path): \(String(cString: strerror(code)))"
    }
  }

  /// Any error of the rooms below as this room's.
  init(_ error: any Error) {
    switch error {
    case let error as RemoteFeedError: self = error
    case let error as FeedError: self = .feed(error)
    case let error as HTTPError: self = .cloud(error)
    case let error as BlobStoreError: self = .store(error)
    default: self = .location("", reason: "\(error)")
    }
  }
}
