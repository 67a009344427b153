import BuildModel
import Glibc

/// What git knows of a checkout: commit, nearest tag, changes, submodules.
struct GitState {
  var checkout: SourceSpec
  var version: OSVersion
  var isRelease: Bool
  var commitTime: Int64
  var locations: [SourceLocation]
  var notices: [String]
  var changes: RepositoryChanges?

  /// `untracked` are ignored files that are part of what is built where changes are.
  static func read(_ source: RepositorySource, changes: UncommittedChanges, untracked: [String]) throws(PlanningError) -> GitState {
    func failed(_ reason: String, _ hint: String) -> PlanningError { .repository(name: source.name, reason: reason, hint: hint) }
    let head = try lines(["log", "-1", "--format=%H %ct"], source).first?.split(separator: " ") ?? []
    guard head.count == 2, let commit = CommitID(head[0]), let time = Int64(head[1]) else {
      throw failed("has no commit", "check out the version to build")
    }
    let status = try GitStatus.read(source.path, source)
    if let shown = status.summary, !changes.areBuilt {
      throw failed(
        "has uncommitted changes (\(shown))", "commit them, or pass --allow-dirty to build them as a commit of their own, which makes no release")
    }
    var clone = CloneCompletion(source: source)
    try clone.deepen()
    try clone.complete(commit)
    let (version, tag, distance) = try nearestTag(source)
    try LargeFiles.refuse(source, in: source.path)
    let mirror = MirrorName.of("root " + source.path)
    var submodules = GitSubmodules(source: source, changes: changes)
    try submodules.collect()
    func spec(_ root: CommitID, _ submodules: [SourceSpec.Submodule], isDirty: Bool) -> SourceSpec {
      SourceSpec(
        repository: source.name, root: SourceTree(mirror: mirror, commit: root, tags: [tag]), submodules: submodules, isDirty: isDirty)
    }
    let isRelease = distance == 0 && !submodules.isReplaced
    var state = GitState(
      checkout: spec(commit, submodules.found, isDirty: false), version: version, isRelease: isRelease, commitTime: time,
      locations: [SourceLocation(mirror: mirror, path: source.path)] + submodules.locations, notices: clone.notices + submodules.notices)
    guard case .built(let directory) = changes, !status.paths.isEmpty || !untracked.isEmpty else { return state }
    let own = ChangesCommit(source: source, work: source.path, in: directory)
    // What git ignores inside of a submodule stays with the contract: it is planned with, and is in no commit.
    let forced = untracked.filter { file in !submodules.found.contains { file.hasPrefix($0.path.text + "/") } }
    let made = try own.make(at: commit, time: time, tags: [tag], forced: forced)
    if made != nil { state.locations.append(SourceLocation(mirror: mirror, path: own.path)) }
    state.changes = RepositoryChanges(
      paths: status.paths + untracked, committed: spec(commit, submodules.committed, isDirty: false), isRelease: isRelease)
    state.checkout = spec(made ?? commit, submodules.found, isDirty: true)
    state.isRelease = false
    return state
  }

  /// The version of a checkout that may have changes; throws where no tag tells it.
  static func version(of source: RepositorySource) throws(PlanningError) -> OSVersion { try nearestTag(source).0 }

  /// The nearest reachable tag that is a version, annotated or not.
  private static func nearestTag(_ source: RepositorySource) throws(PlanningError) -> (OSVersion, String, Int) {
    let hint = "tag the commit (or an ancestor) with the OS version, for example v6.1.24+rev3, or fetch the tags"
    let text: String
    do {
      text =
        try lines(["describe", "--tags", "--long", "--match", "v[0-9]*", "--match", "vv[0-9]*", "--match", "[0-9]*.[0-9]*.[0-9]*"], source).first.map(
          String.init) ?? ""
    } catch {
      guard ["cannot describe", "can describe"].contains(where: error.description.contains) else { throw error }
      throw .repository(name: source.name, reason: "no version tag is reachable from the checked-out commit", hint: hint)
    }
    let parts = text.split(separator: "-")
    guard parts.count >= 3, let distance = Int(parts[parts.count - 2]) else {
      throw .repository(name: source.name, reason: "no version tag is reachable from the checked-out commit", hint: hint)
    }
    let tag = parts.dropLast(2).joined(separator: "-")
    guard let version = OSVersion(tag) else {
      throw .repository(name: source.name, reason: "the nearest tag '\(tag)' is no OS version", hint: hint)
    }
    return (version, tag, distance)
  }

  private static func lines(_ arguments: [String], _ source: RepositorySource) throws(PlanningError) -> [Substring] {
    let output = try GitCommand.run(arguments, in: source.path, repository: source.name)
    return String(decoding: output, as: UTF8.self).split(separator: "\n")
  }
}
