import BuildModel

/// The version at which a line of extended support left meta-balena's main line: the nearest tag of the last commit that both have, without its
/// build part.
struct MetaBalenaBase {
  static let path = "layers/meta-balena"
  /// Where the main line is looked for, in this order.
  private static let mainLines = [
    "refs/remotes/origin/master", "refs/remotes/origin/main", "refs/heads/master", "refs/heads/main",
  ]

  var version: OSVersion?
  /// Why there is none where there should be one.
  var notices: [String] = []

  /// Reads it from the submodule's own history; empty for a version that is none of extended support, and for a repository without meta-balena.
  static func read(_ source: RepositorySource, _ checkout: SourceSpec, version: OSVersion) -> MetaBalenaBase {
    guard version.isESR, let submodule = checkout.submodules.first(where: { $0.path.text == path }) else { return MetaBalenaBase() }
    func missing(_ reason: String) -> MetaBalenaBase {
      MetaBalenaBase(notices: [
        "the version of meta-balena that \(version) is based on is not known, so its release will not be tagged with it: \(reason)"
      ])
    }
    func line(_ arguments: [String]) throws(PlanningError) -> String {
      let output = try GitCommand.run(arguments, in: source.path + "/" + path, repository: source.name)
      return String(decoding: output.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }
    let found = mainLines.first { (try? line(["rev-parse", "--verify", "--quiet", $0 + "^{commit}"])).map { !$0.isEmpty } ?? false }
    guard let main = found else { return missing("\(path) has no branch master or main, its own or of origin") }
    do {
      let base = try line(["merge-base", submodule.tree.commit.hex, main])
      let tag = try line(["describe", "--tags", "--abbrev=0", "--match", "v[0-9]*", "--match", "[0-9]*.[0-9]*.[0-9]*", base])
      guard let full = OSVersion(tag), let plain = OSVersion(String(full.text.prefix { $0 != "+" })) else {
        return missing("its nearest tag '\(tag)' is no version")
      }
      return MetaBalenaBase(version: plain)
    } catch {
      return missing("\(error)")
    }
  }
}
