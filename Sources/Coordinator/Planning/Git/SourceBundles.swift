import BoundedConcurrency
import BuildModel
import FoundationEssentials
import Glibc

/// Makes git bundles of exact commits, without touching the repositories they come from.
package struct SourceBundles: Sendable {
  /// Work trees by mirror. Two repositories may have a submodule of one origin, at different commits of it.
  let locations: [Digest: [String]]
  let scratch: String

  package init(_ locations: [SourceLocation], scratch: String) {
    self.locations = Dictionary(grouping: locations, by: \.mirror).mapValues { $0.map(\.path) }
    self.scratch = scratch
  }

  /// Writes a bundle with the commit (and the tags that `git describe` needs), thin against what the other side has, hands it to `body` and removes it.
  package func withBundle<Value: Sendable>(
    of missing: StartAnswer.MissingSource, tags: [String], body: @Sendable (String) async throws -> Value
  ) async throws -> Value {
    guard let paths = locations[missing.mirror], let first = paths.first else {
      throw PlanningError.unplannedSource(mirror: missing.mirror)
    }
    let directory = scratch + "/bundle-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let bundle = try await BlockingWork.run {
      let path = paths.count == 1 ? first : paths.first { Self.holds($0, missing.commit) } ?? first
      return try Self.make(missing, tags: tags, from: path, in: directory)
    }
    return try await body(bundle)
  }

  private static func holds(_ path: String, _ commit: CommitID) -> Bool {
    (try? GitCommand.run(["cat-file", "-e", commit.hex + "^{commit}"], in: path, repository: path)) != nil
  }

  /// A bundle needs refs, and the user's repository must not get any of ours: so a bare one borrows its objects.
  private static func make(_ missing: StartAnswer.MissingSource, tags: [String], from path: String, in directory: String) throws -> String {
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    @discardableResult
    func git(_ arguments: [String], in place: String) throws -> String {
      String(decoding: try GitCommand.run(arguments, in: place, repository: path, limitSeconds: 1800), as: UTF8.self)
    }
    let objects = try git(["rev-parse", "--path-format=absolute", "--git-path", "objects"], in: path).split(separator: "\n").first ?? ""
    try git(["init", "--quiet", "--bare", "borrow.git"], in: directory)
    let bare = directory + "/borrow.git"
    try Data("\(objects)\n".utf8).write(to: URL(filePath: bare + "/objects/info/alternates"))
    try git(["update-ref", "refs/heads/blockfarm", missing.commit.hex], in: bare)
    var refs = ["refs/heads/blockfarm"]
    for tag in tags {
      let object = try git(["rev-parse", "--verify", "refs/tags/" + tag], in: path).split(separator: "\n").first ?? ""
      try git(["update-ref", "refs/tags/" + tag, String(object)], in: bare)
      refs.append("refs/tags/" + tag)
    }
    // Commits that this side does not know cannot be excluded.
    let known = missing.have.prefix(100).filter { (try? git(["cat-file", "-e", $0.hex + "^{commit}"], in: bare)) != nil }
    let bundle = directory + "/source.bundle"
    try git(["bundle", "create", "--quiet", bundle] + refs + known.map { "^" + $0.hex }, in: bare)
    return bundle
  }
}
