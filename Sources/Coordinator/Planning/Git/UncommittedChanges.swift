import BuildModel

/// What is done with changes in a checkout that are not committed.
package enum UncommittedChanges: Sendable {
  case refused
  /// They are built, as commits that are kept in repositories of ours below this directory.
  case built(in: String)

  var areBuilt: Bool { if case .built = self { true } else { false } }
}

/// The changes of a checkout that are built.
package struct RepositoryChanges: Hashable, Sendable {
  /// Paths below the repository's root; a directory that is new as a whole ends with a slash.
  package var paths: [String]
  /// The checkout without them.
  package var committed: SourceSpec
  /// Whether that one is the tag itself.
  package var isRelease: Bool

  /// Whether they can make a difference for a device type. A manifest and an overlay matter to their own alone, contracts to whoever has blocks; of
  /// everything else nobody can tell.
  func touch(_ deviceType: DeviceType, contracts: [String], hasBlocks: Bool) -> Bool {
    paths.contains { path in
      let isOfTheRoot = !path.contains("/")
      if isOfTheRoot, let stem = Self.stem(path, [".coffee", ".json", ".svg"]) { return stem == deviceType.file }
      if isOfTheRoot, let machine = Self.stem(path, [Composition.overlaySuffix]) { return machine == deviceType.yocto.machine.text }
      if contracts.contains(where: { path == $0 || path.hasPrefix($0 + "/") }) { return hasBlocks }
      return true
    }
  }

  private static func stem(_ path: String, _ suffixes: [String]) -> String? {
    suffixes.first { path.hasSuffix($0) }.map { String(path.dropLast($0.count)) }
  }

  /// The first of them, for people.
  var summary: String { paths.prefix(3).joined(separator: ", ") + (paths.count > 3 ? " and \(paths.count - 3) more" : "") }
}
