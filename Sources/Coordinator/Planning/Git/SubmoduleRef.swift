import BuildModel
import FoundationEssentials
import Glibc

/// A submodule that is built at another commit than the recorded one.
package struct SubmoduleRef: Hashable, Sendable {
  /// Where it lies below a device repository's root.
  package var path: RelativePath
  /// A branch, tag, pull request (`pull/N/head`, `pr/N`) or full commit id of the submodule's remote.
  package var ref: String

  package init(path: RelativePath, ref: String) {
    self.path = path
    self.ref = ref
  }

  /// The submodule of balenaOS itself.
  package static func metaBalena(_ ref: String) -> SubmoduleRef? {
    RelativePath("layers/meta-balena").map { SubmoduleRef(path: $0, ref: ref) }
  }

  /// Resolves the ref in the remote of the checkout's submodule and fetches the commit, without touching its work tree or its refs.
  ///
  /// nil when the repository has no such submodule. Synchronous; reads the network.
  func resolve(in source: RepositorySource) throws(PlanningError) -> SubmoduleReplacement? {
    let entry = try git(["ls-tree", "HEAD", "--", path.text], in: source.path, source)
    guard entry.hasPrefix("160000 ") else { return nil }
    let directory = "\(source.path)/\(path)"
    guard access(directory + "/.git", F_OK) == 0 else {
      throw PlanningError.repository(
        name: source.name, reason: "submodule \(path) is not checked out", hint: "run: git -C \(source.path) submodule update --init --recursive")
    }
    if let commit = CommitID(ref.lowercased()) {
      if (try? git(["cat-file", "-e", commit.hex + "^{commit}"], in: directory, source)) == nil {
        try fetch(commit.hex, commit, in: directory, source)
      }
      return SubmoduleReplacement(path: path, ref: ref, commit: commit)
    }
    let refs = RemoteRefs(try git(["ls-remote", "--quiet", remote(in: directory, source)], in: directory, source))
    let (name, commit) = try refs.find(ref, submodule: path)
    try fetch(name, commit, in: directory, source)
    return SubmoduleReplacement(path: path, ref: ref, commit: commit)
  }

  private func fetch(_ name: String, _ commit: CommitID, in directory: String, _ source: RepositorySource) throws(PlanningError) {
    _ = try git(["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", remote(in: directory, source), name], in: directory, source)
    _ = try git(["cat-file", "-e", commit.hex + "^{commit}"], in: directory, source)
  }

  private func remote(in directory: String, _ source: RepositorySource) throws(PlanningError) -> String {
    guard let remote = try GitRemote.find(in: directory, repository: source.name) else {
      throw .submodule("submodule \(path) of repository \(source.name) has no remote, so '\(ref)' cannot be looked up: name one in \(directory)")
    }
    return remote.name
  }

  private func git(_ arguments: [String], in directory: String, _ source: RepositorySource) throws(PlanningError) -> String {
    let output = try GitCommand.run(
      ["-c", "protocol.file.allow=always", "-c", "gc.auto=0"] + arguments, in: directory, repository: source.name, limitSeconds: 1800,
      passing: ["HOME", "SSH_AUTH_SOCK"])
    return String(decoding: output, as: UTF8.self)
  }
}

/// What `git ls-remote` says.
struct RemoteRefs {
  /// Commits by full name; of an annotated tag the commit it stands for.
  private(set) var commits: [String: CommitID] = [:]

  init(_ listing: String) {
    for line in listing.split(separator: "\n") {
      let parts = line.split(separator: "\t", maxSplits: 1)
      guard parts.count == 2, let commit = CommitID(parts[0]) else { continue }
      if parts[1].hasSuffix("^{}") {
        commits[String(parts[1].dropLast(3))] = commit
      } else if commits[String(parts[1])] == nil {
        commits[String(parts[1])] = commit
      }
    }
  }

  /// The full names that a short one may stand for: what `git checkout` knew when pull requests were fetched as `origin/pr/N/head`.
  static func names(_ text: String) -> [String] {
    if text.hasPrefix("refs/") { return [text] }
    let short = text.hasPrefix("origin/") ? String(text.dropFirst("origin/".count)) : text
    var names = ["refs/heads/" + short, "refs/tags/" + short]
    let parts = short.split(separator: "/", omittingEmptySubsequences: false)
    if (2...3).contains(parts.count), ["pr", "pull"].contains(parts[0]), Int(parts[1]) != nil {
      names.append("refs/pull/\(parts[1])/\(parts.count == 3 ? String(parts[2]) : "head")")
    }
    return names
  }

  func find(_ text: String, submodule: RelativePath) throws(PlanningError) -> (name: String, commit: CommitID) {
    let found = Self.names(text).compactMap { name in commits[name].map { (name, $0) } }
    guard let first = found.first else {
      let known = commits.keys.compactMap { name in
        ["refs/heads/", "refs/tags/"].first { name.hasPrefix($0) }.map { String(name.dropFirst($0.count)) }
      }
      let near = NearestNames.of(text, among: known)
      throw .submodule(
        "the remote of \(submodule) has no branch, tag or pull request '\(text)'"
          + (near.isEmpty ? "; a commit is named by all its 40 digits" : "; known: \(near.joined(separator: ", "))"))
    }
    guard found.allSatisfy({ $0.1 == first.1 }) else {
      throw .submodule(
        "'\(text)' stands for several commits in the remote of \(submodule): "
          + found.map { "\($0.0) (\($0.1.short))" }.joined(separator: ", ") + "; name one in full")
    }
    return (first.0, first.1)
  }
}
