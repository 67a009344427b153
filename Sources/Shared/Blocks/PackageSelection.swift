import BuildModel
import Feed

/// The packages of one block, exactly as listed: no dependencies, the best candidate of each, or the one that the lock names. None of them may
/// conflict with another.
package struct PackageSelection: Sendable {
  package struct Item: Sendable {
    package var candidate: PackageFeed.Candidate
    /// The names of the block's list that the package satisfies.
    package var listedAs: [PackageName]
    /// Packages that provide such a name too, and are replaced by this one.
    package var displaced: [PackageName] = []

    /// The package's own name.
    package var name: PackageName { candidate.stanza.name }
  }
  /// In the order of the block's list (of its lock, where it has one), each package once.
  package let items: [Item]
  /// Recipes of the block from which no listed package comes.
  package let recipesWithoutPackage: [RecipeName]

  package init(_ block: BlockSpec, from feed: PackageFeed) throws(BlocksError) {
    if let lock = block.lock {
      try Self.check(lock, of: block)
      items = try lock.packages.map { (locked) throws(BlocksError) in
        Item(candidate: try Self.candidate(locked, of: block, from: feed), listedAs: locked.listed)
      }
    } else {
      items = try Self.best(of: block, from: feed)
    }
    let conflicts = PackageConflict.all(among: items.map(\.candidate.stanza))
    guard conflicts.isEmpty else { throw .conflictingPackages(block: block.name, conflicts) }
    let made = Set(items.compactMap(\.candidate.stanza.recipe))
    recipesWithoutPackage = block.recipes.filter { !made.contains($0.text) }
  }

  private static func best(of block: BlockSpec, from feed: PackageFeed) throws(BlocksError) -> [Item] {
    do throws(FeedError) {
      return try FeedSelection(block.packages, from: feed).items.map {
        Item(candidate: $0.candidate, listedAs: $0.listedAs, displaced: $0.displaced)
      }
    } catch {
      switch error {
      case .missing(let name, _, _):
        throw .missingPackage(block: block.name, name, nearest: Self.nearest(to: name, in: feed, recipes: block.recipes), recipes: block.recipes)
      case .ambiguous(let name, _, let providers): throw .ambiguousPackage(block: block.name, name, providers: providers)
      default: throw .feed(error)
      }
    }
  }

  /// The lock must be the block's, and of the same packages.
  private static func check(_ lock: BlockLock, of block: BlockSpec) throws(BlocksError) {
    guard lock.version == 1 else { throw .lock(block: block.name, reason: "is of version \(lock.version), known is 1") }
    guard lock.block == block.name else { throw .lock(block: block.name, reason: "is of block '\(lock.block)'") }
    let names = lock.packages.flatMap(\.listed)
    let locked = Set(names)
    guard locked.count == names.count, Set(lock.packages.map(\.name)).count == lock.packages.count else {
      throw .lock(block: block.name, reason: "names a package twice")
    }
    let listed = Set(block.packages)
    guard listed == locked else {
      let more = listed.subtracting(locked).sorted().map(\.text)
      let less = locked.subtracting(listed).sorted().map(\.text)
      throw .lock(
        block: block.name,
        reason: [
          more.isEmpty ? nil : "does not name \(more.joined(separator: ", "))",
          less.isEmpty ? nil : "names \(less.joined(separator: ", ")), which the block does not list",
        ].compactMap { $0 }.joined(separator: " and "))
    }
  }

  private static func candidate(_ locked: BlockLock.Package, of block: BlockSpec, from feed: PackageFeed) throws(BlocksError) -> PackageFeed.Candidate
  {
    let all = feed.candidates[locked.name] ?? []
    let alike = all.filter { $0.stanza.version.text == locked.version && $0.directory == locked.architecture }
    for candidate in alike where try digest(of: candidate) == locked.digest {
      if let wrong = locked.listed.first(where: { !candidate.stanza.isCalled($0) }) {
        throw .lock(block: block.name, reason: "takes \(candidate.label) for '\(wrong)', which it does not provide")
      }
      return candidate
    }
    var there: [String] = []
    for candidate in (alike.isEmpty ? all : alike).prefix(5) {
      there.append("\(candidate.stanza.version) (\(candidate.directory), \(try digest(of: candidate)))")
    }
    let nearest = all.isEmpty ? nearest(to: locked.name, in: feed, recipes: block.recipes) : []
    throw .lock(
      block: block.name,
      reason: "wants package \(locked.name) \(locked.version) (\(locked.architecture), \(locked.digest)); the feed has "
        + (there.isEmpty
          ? "no such package" + (nearest.isEmpty ? "" : ", nearest: \(nearest.joined(separator: ", "))") : there.joined(separator: ", ")))
  }

  /// As the index says, else of the file.
  static func digest(of candidate: PackageFeed.Candidate) throws(BlocksError) -> Digest {
    if let digest = candidate.stanza.sha256 { return digest }
    do {
      if let digest = try FileDigest.of(candidate.path) { return digest }
    } catch { throw .store(error) }
    throw .feed(.inconsistent(file: candidate.path, reason: "has no digest"))
  }

  /// Names that look alike, then what the block's recipes did make; at most ten.
  private static func nearest(to name: PackageName, in feed: PackageFeed, recipes: [RecipeName]) -> [String] {
    let alike = NearestNames.of(name.text, among: (Array(feed.candidates.keys) + feed.providers.keys).map(\.text))
    let wanted = Set(recipes.map(\.text))
    let made = feed.candidates.filter { $0.value.contains { wanted.contains($0.stanza.recipe ?? "") } }.keys.map(\.text).sorted()
    return Array((alike + made.filter { !alike.contains($0) }).prefix(10))
  }
}
