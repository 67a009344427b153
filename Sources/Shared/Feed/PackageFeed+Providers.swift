import BuildModel

extension PackageFeed {
  /// What a listed name stands for.
  package enum Resolution: Sendable {
    /// A package of that name.
    case named(PackageName)
    /// No package is called so, and one provides it. `displaced` provide it too, and are replaced by it.
    case provided(by: PackageName, displaced: [PackageName])
    /// No package is called so, and several provide it: the best candidate of each that does.
    case ambiguous([Candidate])
    case missing
  }

  /// Packages by the names that they provide, sorted.
  static func providers(of candidates: [PackageName: [Candidate]]) -> [PackageName: [PackageName]] {
    var found: [PackageName: Set<PackageName>] = [:]
    for (provider, list) in candidates {
      for relation in list.flatMap(\.stanza.provides) {
        // What is no package's name (/bin/sh) cannot be listed.
        guard let name = try? PackageName(relation.name), name != provider else { continue }
        found[name, default: []].insert(provider)
      }
    }
    return found.mapValues { $0.sorted() }
  }

  /// As opkg reads a name that is to be installed: a package of that name comes first, whatever else provides it (`issue9533` of its tests). Where
  /// several provide it, opkg takes one of them by architecture and name; here somebody has to say which. A provider that another one replaces and
  /// conflicts with is its predecessor and counts no more (`replaced_by` in libopkg/pkg_hash.c).
  package func resolve(_ name: PackageName) -> Resolution {
    if candidates[name] != nil { return .named(name) }
    let all = (providers[name] ?? []).compactMap { provider in candidates[provider]?.first { $0.stanza.provides(name) } }
    let successors = all.filter { one in !all.contains { $0.stanza.displaces(one.stanza) && !one.stanza.displaces($0.stanza) } }
    guard let first = successors.first else { return .missing }
    guard successors.count == 1 else { return .ambiguous(successors) }
    return .provided(by: first.stanza.name, displaced: all.map(\.stanza.name).filter { $0 != first.stanza.name })
  }
}

extension PackageStanza {
  /// The package's own name and version, then what it provides.
  package var offers: [PackageRelation] {
    [PackageRelation(name: name.text, constraint: .init(comparison: .equal, version: version))] + provides
  }

  /// Whether `name` is the package's or one that it provides.
  package func isCalled(_ name: PackageName) -> Bool { self.name == name || provides(name) }

  func provides(_ name: PackageName) -> Bool { provides.contains { $0.name == name.text } }

  /// Whether the package is the other one's successor: it replaces it and cannot be beside it.
  fileprivate func displaces(_ other: PackageStanza) -> Bool {
    guard name != other.name, let own = other.offers.first else { return false }
    return replaces.contains { $0.isMet(by: own) } && conflicts.contains { $0.isMet(by: own) }
  }
}
