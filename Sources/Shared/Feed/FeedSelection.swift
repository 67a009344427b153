import BuildModel

/// The packages of a feed that a list of names stands for.
package struct FeedSelection: Sendable {
  package struct Item: Sendable {
    package var candidate: PackageFeed.Candidate
    /// The names of the list that the package satisfies: its own, and those that it provides.
    package var listedAs: [PackageName]
    /// Packages that provide such a name too, and are replaced by this one.
    package var displaced: [PackageName] = []
  }

  /// In the list's order, each package once.
  package let items: [Item]

  /// Takes the best candidate of each package. One that is listed by several names is the best that has all of them.
  package init(_ names: [PackageName], from feed: PackageFeed) throws(FeedError) {
    var order: [PackageName] = []
    var listed: [PackageName: [PackageName]] = [:]
    var displaced: [PackageName: [PackageName]] = [:]
    var seen: Set<PackageName> = []
    for name in names where seen.insert(name).inserted {
      let package: PackageName
      switch feed.resolve(name) {
      case .named(let own): package = own
      case .provided(let provider, let others):
        package = provider
        displaced[provider, default: []] += others
      case .ambiguous(let providers): throw .ambiguous(package: name, feed: feed.root, providers: providers.map(\.label))
      case .missing: throw .missing(package: name, feed: feed.root, nearest: feed.nearest(to: name))
      }
      if listed[package] == nil { order.append(package) }
      listed[package, default: []].append(name)
    }
    items = try order.map { (package) throws(FeedError) in
      let names = listed[package] ?? []
      guard let best = feed.candidates[package]?.first(where: { candidate in names.allSatisfy { candidate.stanza.isCalled($0) } }) else {
        let versions = feed.candidates[package]?.prefix(5).map(\.label) ?? []
        throw .inconsistent(
          file: feed.root,
          reason: "no version of \(package) has all the names \(names.map(\.text).joined(separator: ", ")): \(versions.joined(separator: ", "))")
      }
      return Item(candidate: best, listedAs: names, displaced: displaced[package] ?? [])
    }
  }
}
