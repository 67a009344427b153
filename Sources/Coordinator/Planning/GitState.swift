import BuildModel
import FoundationEssentials

import struct Crypto.SHA256

/// What git knows of a checkout: commit, nearest tag, changes, submodules.
struct GitState {
  var checkout: SourceSpec
  var version: OSVersion
  var isRelease: Bool
  var commitTime: Int64
  var locations: [SourceLocation]

  static func read(_ source: RepositorySource, allowDirty: Bool) throws(PlanningError) -> GitState {
    func failed(_ reason: String, _ hint: String) -> PlanningError { .repository(name: source.name, reason: reason, hint: hint) }
    let head = try lines(["log", "-1", "--format=%H %ct"], source).first?.split(separator: " ") ?? []
    guard head.count == 2, let commit = CommitID(head[0]), let time = Int64(head[1]) else {
      throw failed("has no commit", "check out the version to build")
    }
    let changes = try lines(["status", "--porcelain", "--untracked-files=normal"], source)
    if !changes.isEmpty, !allowDirty {
      let shown = changes.prefix(5).map { $0.trimmingPrefix { $0 == " " } }.joined(separator: ", ")
      throw failed(
        "has uncommitted changes (\(shown)\(changes.count > 5 ? ", … \(changes.count) in all" : ""))",
        "commit them, or pass --allow-dirty to build the commit without them as a non-release")
    }
    let (version, tag, distance) = try nearestTag(source)
    let mirror = name(of: "root " + source.path)
    var locations = [SourceLocation(mirror: mirror, path: source.path)]
    var submodules: [SourceSpec.Submodule] = []
    try collect(source, below: "", into: &submodules, &locations, depth: 0)
    return GitState(
      checkout: SourceSpec(
        repository: source.name, root: SourceTree(mirror: mirror, commit: commit, tags: [tag]), submodules: submodules,
        isDirty: !changes.isEmpty),
      version: version, isRelease: distance == 0 && changes.isEmpty, commitTime: time, locations: locations)
  }

  /// The nearest reachable tag that is a version, annotated or not.
  private static func nearestTag(_ source: RepositorySource) throws(PlanningError) -> (OSVersion, String, Int) {
    let hint = "tag the commit (or an ancestor) with the OS version, for example v6.1.24+rev3, or fetch the tags"
    let text: String
    do {
      text = try lines(["describe", "--tags", "--long", "--match", "v[0-9]*", "--match", "vv[0-9]*"], source).first.map(String.init) ?? ""
    } catch {
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

  private static func collect(
    _ source: RepositorySource, below prefix: String, into submodules: inout [SourceSpec.Submodule], _ locations: inout [SourceLocation],
    depth: Int
  ) throws(PlanningError) {
    let directory = prefix.isEmpty ? source.path : source.path + "/" + prefix
    guard depth < 6, FileManager.default.fileExists(atPath: directory + "/.gitmodules") else { return }
    var here = source
    here.path = directory
    var urls: [String: String] = [:]
    var paths: [String: String] = [:]
    for line in try lines(["config", "--file", ".gitmodules", "--list"], here) {
      guard let equals = line.firstIndex(of: "=") else { continue }
      let key = String(line[..<equals])
      let value = String(line[line.index(after: equals)...])
      if key.hasSuffix(".url") { urls[String(key.dropLast(4))] = value }
      if key.hasSuffix(".path") { paths[String(key.dropLast(5))] = value }
    }
    let commits = try gitlinks(here)
    for (key, path) in paths.sorted(by: { $0.value < $1.value }) {
      guard let commit = commits[path] else { continue }
      let full = prefix.isEmpty ? path : prefix + "/" + path
      guard let relative = RelativePath(full) else {
        throw .repository(name: source.name, reason: "submodule path '\(full)' leaves the repository", hint: "")
      }
      guard FileManager.default.fileExists(atPath: directory + "/" + path + "/.git") else {
        throw .repository(
          name: source.name, reason: "submodule \(full) is not checked out", hint: "run: git -C \(source.path) submodule update --init --recursive")
      }
      let url = urls[key] ?? ""
      let isRelative = url.hasPrefix("./") || url.hasPrefix("../")
      let mirror = name(of: isRelative || url.isEmpty ? "submodule \(source.path) \(full)" : "url " + url)
      submodules.append(.init(path: relative, tree: SourceTree(mirror: mirror, commit: commit, tags: [])))
      locations.append(SourceLocation(mirror: mirror, path: directory + "/" + path))
      try collect(source, below: full, into: &submodules, &locations, depth: depth + 1)
    }
  }

  /// Commits of submodules by path, as the checked-out commit records them.
  private static func gitlinks(_ source: RepositorySource) throws(PlanningError) -> [String: CommitID] {
    var found: [String: CommitID] = [:]
    for line in try lines(["ls-tree", "-r", "HEAD"], source) where line.hasPrefix("160000 ") {
      guard let tab = line.firstIndex(of: "\t"), let id = line[..<tab].split(separator: " ").last.flatMap({ CommitID($0) }) else { continue }
      found[String(line[line.index(after: tab)...])] = id
    }
    return found
  }

  private static func lines(_ arguments: [String], _ source: RepositorySource) throws(PlanningError) -> [Substring] {
    let output = try GitCommand.run(arguments, in: source.path, repository: source.name)
    return String(decoding: output, as: UTF8.self).split(separator: "\n")
  }

  static func name(of text: String) -> Digest {
    // 32 bytes always make a digest.
    Digest(bytes: SHA256.hash(data: Array(text.utf8)))!
  }
}
