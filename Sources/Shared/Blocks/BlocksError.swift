import BlobStore
import BuildModel
import Feed
import Glibc
import OCIImage

/// A block cannot be made, or is not what it must be.
package enum BlocksError: BlamedError {
  /// A listed package is in no directory of the feed.
  case missingPackage(block: BlockName, PackageName, nearest: [String], recipes: [RecipeName])
  /// A listed name is no package's, and several packages provide it.
  case ambiguousPackage(block: BlockName, PackageName, providers: [String])
  /// Packages that must not be beside each other.
  case conflictingPackages(block: BlockName, [PackageConflict])
  /// Two packages hold the same path with different content.
  case conflict(block: BlockName, path: String, first: PackageName, second: PackageName, reason: String)
  /// A package breaks a rule within the block's tree.
  case refused(block: BlockName, package: PackageName, path: String, rule: String)
  /// The block's lock cannot be kept.
  case lock(block: BlockName, reason: String)
  case lockFile(path: String, reason: String)
  /// A block's Dockerfile, or its directory, cannot be used.
  case dockerfile(block: BlockName, String)
  case feed(FeedError)
  case image(OCIImageError)
  case store(BlobStoreError)
  /// What a worker delivered is not what was planned.
  case mismatch(block: BlockName, what: String, expected: String, found: String)
  case system(operation: String, path: String, errno: Int32)

  package var blame: Blame {
    switch self {
    case .feed(let error): error.blame
    case .image(let error): error.blame
    case .store, .system: .coordinator
    case .missingPackage, .ambiguousPackage, .conflictingPackages, .conflict, .refused, .lock, .lockFile, .dockerfile, .mismatch: .request
    }
  }

  package var description: String {
    switch self {
    case .missingPackage(let block, let package, let nearest, let recipes):
      "block \(block): package '\(package)' is not in the feed"
        + (nearest.isEmpty ? "" : "; nearest: \(nearest.joined(separator: ", "))")
        + (recipes.isEmpty ? "" : "; it should come from one of the recipes \(recipes.map(\.text).joined(separator: ", "))")
    case .ambiguousPackage(let block, let package, let providers):
      "block \(block): no package of the feed is called '\(package)', and \(providers.count) provide it: \(providers.joined(separator: ", ")); "
        + "list the one that is meant"
    case .conflictingPackages(let block, let conflicts):
      "block \(block): packages that cannot be together: " + conflicts.prefix(10).map(\.description).joined(separator: "; ")
        + (conflicts.count > 10 ? "; and \(conflicts.count - 10) more" : "")
    case .conflict(let block, let path, let first, let second, let reason):
      "block \(block): '/\(path)' is in packages \(first) and \(second): \(reason)"
    case .refused(let block, let package, let path, let rule): "block \(block): package \(package): '/\(path)' is refused: \(rule)"
    case .lock(let block, let reason): "block \(block): its lock \(reason)"
    case .lockFile(let path, let reason): "\(path) is no lock of a block: \(reason)"
    case .dockerfile(let block, let reason): "block \(block): \(reason)"
    case .feed(let error): error.description
    case .image(let error): error.description
    case .store(let error): error.description
    case .mismatch(let block, let what, let expected, let found):
      "block \(block): \(what) should be \(expected), the worker delivered \(found)"
    case .system(let operation, let path, let code): OCIImageError.system(operation: operation, path: path, errno: code).description
    }
  }

  /// Whether the host's disk is full.
  package var isOutOfSpace: Bool {
    switch self {
    case .store(let error), .image(.store(let error)): error.isOutOfSpace
    case .system(_, _, let code), .image(.system(_, _, let code)), .feed(.system(_, _, let code)): code == ENOSPC || code == EDQUOT
    default: false
    }
  }
}
