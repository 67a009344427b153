import BuildModel

/// Which contracts of a checkout git knows: the others are no part of any commit.
enum ContractTracking {
  /// The files, below the repository's root, that git does not track, be it because it ignores them. Contracts outside of the repository belong to
  /// whoever named them in farm.yaml.
  static func untracked(_ contracts: [Contract], of source: RepositorySource, submodules: [String]) throws(PlanningError) -> [String] {
    var byTree: [String: [String]] = [:]
    for contract in contracts where contract.file.hasPrefix(source.path + "/") {
      let file = String(contract.file.dropFirst(source.path.count + 1))
      guard !file.split(separator: "/").contains("..") else { continue }
      let tree = submodules.filter { file.hasPrefix($0 + "/") }.max { $0.count < $1.count } ?? ""
      byTree[tree, default: []].append(file)
    }
    var untracked: [String] = []
    for (tree, files) in byTree {
      let directory = tree.isEmpty ? source.path : source.path + "/" + tree
      let output = try GitCommand.run(["ls-files", "-z", "--", "*.json"], in: directory, repository: source.name)
      let known = Set(output.split(separator: 0).map { (tree.isEmpty ? "" : tree + "/") + String(decoding: $0, as: UTF8.self) })
      untracked += files.filter { !known.contains($0) }
    }
    return untracked.sorted()
  }
}
