import BuildModel
import Glibc

import struct Crypto.SHA256

/// What git knows of a checkout: commit, nearest tag, changes, submodules.
struct GitState {
  var checkout: SourceSpec
  var version: OSVersion
  var isRelease: Bool
  var commitTime: Int64
  var locations: [SourceLocation]
  var notices: [String]

  static func read(_ source: RepositorySource, allowDirty: Bool) throws(PlanningError) -> GitState {
    func failed(_ reason: String, _ hint: String) -> PlanningError { .repository(name: source.name, reason: reason, hint: hint) }
    let head = try lines(["log", "-1", "--format=%H %ct"], source).first?.split(separator: " ") ?? []
    guard head.count == 2, let commit = CommitID(head[0]), let time = Int64(head[1]) else {
      throw failed("has no commit", "check out the version to build")
    }
    let changes = try lines(["status", "--porcelain", "--untracked-files=normal", "--ignore-submodules=none"], source)
    if !changes.isEmpty, !allowDirty {
      let shown = changes.prefix(5).map { $0.trimmingPrefix { $0 == " " } }.joined(separator: ", ")
      throw failed(
        "has uncommitted changes (\(shown)\(changes.count > 5 ? ", … \(changes.count) in all" : ""))",
        "commit them, or pass --allow-dirty to build the commit without them as a non-release")
    }
    let (version, tag, distance) = try nearestTag(source)
    try refuseLargeFiles(source, in: source.path)
    let mirror = name(of: "root " + source.path)
    var submodules = GitSubmodules(source: source)
    try submodules.collect()
    return GitState(
      checkout: SourceSpec(
        repository: source.name, root: SourceTree(mirror: mirror, commit: commit, tags: [tag]), submodules: submodules.found,
        isDirty: !changes.isEmpty),
      version: version, isRelease: distance == 0 && changes.isEmpty && !submodules.isReplaced, commitTime: time,
      locations: [SourceLocation(mirror: mirror, path: source.path)] + submodules.locations, notices: submodules.notices)
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

  /// Git LFS keeps contents outside of git, where no bundle finds them.
  static func refuseLargeFiles(_ source: RepositorySource, in directory: String) throws(PlanningError) {
    guard access(directory + "/.gitattributes", F_OK) == 0 else { return }
    let output = try GitCommand.run(["ls-files", "-z", "--", ":(attr:filter=lfs)"], in: directory, repository: source.name)
    let files = output.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    guard let first = files.first else { return }
    let place = directory == source.path ? "" : String(directory.dropFirst(source.path.count + 1)) + "/"
    throw .repository(
      name: source.name,
      reason: "keeps files in Git LFS (\(place)\(first)\(files.count > 1 ? " and \(files.count - 1) more" : "")), which is not supported",
      hint: "commit them as ordinary files")
  }

  private static func lines(_ arguments: [String], _ source: RepositorySource) throws(PlanningError) -> [Substring] {
    let output = try GitCommand.run(arguments, in: source.path, repository: source.name)
    return String(decoding: output, as: UTF8.self).split(separator: "\n")
  }

  /// A mirror's name.
  static func name(of text: String) -> Digest {
    // 32 bytes always make a digest.
    Digest(bytes: SHA256.hash(data: Array(text.utf8)))!
  }
}
