import BuildModel
import FoundationEssentials
import Glibc

/// Finds the submodules of a checkout, at any depth, with the commits that the checked-out commits record.
struct GitSubmodules {
  let source: RepositorySource
  let changes: UncommittedChanges
  private(set) var found: [SourceSpec.Submodule] = []
  /// The same, at the recorded commits and without what is not committed.
  private(set) var committed: [SourceSpec.Submodule] = []
  private(set) var locations: [SourceLocation] = []
  private(set) var notices: [String] = []
  /// Submodules of submodules that are not checked out.
  private(set) var absentNested: [String] = []
  /// Whether a submodule is taken at another commit than the recorded one.
  private(set) var isReplaced = false

  init(source: RepositorySource, changes: UncommittedChanges = .refused) {
    self.source = source
    self.changes = changes
  }

  /// The paths of those that the repository itself records, checked out or not.
  static func names(of source: RepositorySource) throws(PlanningError) -> [String] {
    guard access(source.path + "/.gitmodules", F_OK) == 0 else { return [] }
    return try GitSubmodules(source: source).entries(in: source.path).map(\.path)
  }

  /// Reads all of them. One of the repository itself must be checked out; one inside a submodule need not (builds take the first level only).
  mutating func collect() throws(PlanningError) {
    try collect(below: "", base: nil, depth: 0)
    guard let first = absentNested.first else { return }
    notices.append(
      absentNested.count == 1
        ? "nested submodule \(first) is not checked out and is left out"
        : "\(absentNested.count) nested submodules are not checked out and are left out, the first: \(first)")
  }

  private mutating func collect(below prefix: String, base: String?, depth: Int) throws(PlanningError) {
    let directory = prefix.isEmpty ? source.path : source.path + "/" + prefix
    guard depth < 6, access(directory + "/.gitmodules", F_OK) == 0 else { return }
    let entries = try entries(in: directory)
    let commits = try gitlinks(in: directory)
    var base = base
    for entry in entries.sorted(by: { $0.path < $1.path }) {
      guard let recorded = commits[entry.path] else { continue }
      let full = prefix.isEmpty ? entry.path : prefix + "/" + entry.path
      guard let relative = RelativePath(full) else {
        throw .repository(name: source.name, reason: "submodule path '\(full)' leaves the repository", hint: "")
      }
      guard access(source.path + "/" + full + "/.git", F_OK) == 0 else {
        guard depth > 0 else {
          throw .repository(
            name: source.name, reason: "submodule \(full) is not checked out",
            hint: "run: git -C \(source.path) submodule update --init --recursive")
        }
        absentNested.append(full)
        continue
      }
      var url = entry.url
      if Self.isRelative(url) {
        if base == nil { base = try origin(of: directory) }
        url = Self.resolve(url, against: base ?? directory)
      }
      try LargeFiles.refuse(source, in: source.path + "/" + full)
      let replacement = source.replacements.first { $0.path == relative && $0.commit != recorded }
      let mirror = MirrorName.of(url.isEmpty ? "submodule \(source.path) \(full)" : "url " + url)
      locations.append(SourceLocation(mirror: mirror, path: source.path + "/" + full))
      let commit: CommitID
      if let replacement { commit = replacement.commit } else { commit = try checkedOut(full, recorded, mirror) }
      var clone = CloneCompletion(source: source, place: full)
      try clone.deepen()
      try clone.complete(replacement?.commit ?? recorded)
      notices += clone.notices
      found.append(.init(path: relative, tree: SourceTree(mirror: mirror, commit: commit, tags: [])))
      committed.append(.init(path: relative, tree: SourceTree(mirror: mirror, commit: replacement?.commit ?? recorded, tags: [])))
      if let replacement {
        // The checkout says nothing about submodules inside another commit; builds take the first level only.
        isReplaced = true
        notices.append(
          "submodule \(full) is built at \(replacement.ref) (\(commit.short)) instead of \(recorded.short), without submodules of its own")
        continue
      }
      try collect(below: full, base: url.isEmpty ? nil : url, depth: depth + 1)
    }
  }

  /// The commit to build: the recorded one; where changes are built, what is checked out, with its changes.
  private mutating func checkedOut(_ full: String, _ recorded: CommitID, _ mirror: Digest) throws(PlanningError) -> CommitID {
    guard case .built(let directory) = changes else { return recorded }
    let path = source.path + "/" + full
    let line = String(decoding: try GitCommand.run(["log", "-1", "--format=%H %ct"], in: path, repository: source.name), as: UTF8.self)
    let parts = line.split { $0 == " " || $0.isNewline }
    guard parts.count == 2, let head = CommitID(parts[0]), let time = Int64(parts[1]) else { return recorded }
    if head != recorded { notices.append("submodule \(full) is built at \(head.short), as it is checked out, instead of \(recorded.short)") }
    let status = try GitStatus.read(path, source)
    guard !status.paths.isEmpty else { return head }
    let own = ChangesCommit(source: source, work: path, in: directory)
    guard let made = try own.make(at: head, time: time, tags: []) else { return head }
    locations.append(SourceLocation(mirror: mirror, path: own.path))
    notices.append("submodule \(full) is built with its uncommitted changes")
    return made
  }

  private struct Entry {
    var path = ""
    var url = ""
  }

  private func entries(in directory: String) throws(PlanningError) -> [Entry] {
    var entries: [String: Entry] = [:]
    let output = try GitCommand.run(["config", "--file", ".gitmodules", "--null", "--list"], in: directory, repository: source.name)
    for item in output.split(separator: 0) {
      // "key\nvalue"; a key without a value has no newline.
      let text = String(decoding: item, as: UTF8.self)
      guard let end = text.firstIndex(of: "\n") else { continue }
      let (key, value) = (text[..<end], String(text[text.index(after: end)...]))
      if key.hasSuffix(".url") { entries[String(key.dropLast(4)), default: Entry()].url = value }
      if key.hasSuffix(".path") { entries[String(key.dropLast(5)), default: Entry()].path = value }
    }
    return entries.values.filter { !$0.path.isEmpty }
  }

  /// Commits of submodules by path, as the checked-out commit records them.
  private func gitlinks(in directory: String) throws(PlanningError) -> [String: CommitID] {
    var found: [String: CommitID] = [:]
    let output = try GitCommand.run(["ls-tree", "-r", "-z", "HEAD"], in: directory, repository: source.name)
    for entry in output.split(separator: 0) where entry.starts(with: "160000 ".utf8) {
      guard let tab = entry.firstIndex(of: UInt8(ascii: "\t")),
        let commit = CommitID(String(decoding: entry[..<tab].suffix(40), as: UTF8.self))
      else { continue }
      found[String(decoding: entry[entry.index(after: tab)...], as: UTF8.self)] = commit
    }
    return found
  }

  /// The URL that relative ones are resolved against: the remote `origin`, else the work tree's path, as git does it.
  private func origin(of directory: String) throws(PlanningError) -> String {
    let output = try GitCommand.run(
      ["config", "--default", "", "--get", "remote.origin.url"], in: directory, repository: source.name)
    let text = String(decoding: output.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    return text.isEmpty ? directory : text
  }

  static func isRelative(_ url: String) -> Bool { url.hasPrefix("./") || url.hasPrefix("../") }

  /// Takes one component off the base for each `../`; the last one of `host:path` ends at the colon.
  static func resolve(_ url: String, against base: String) -> String {
    var base = base[...]
    var rest = url[...]
    while base.last == "/" { base = base.dropLast() }
    while true {
      if rest.hasPrefix("./") {
        rest = rest.dropFirst(2)
      } else if rest.hasPrefix("../") {
        rest = rest.dropFirst(3)
        if let slash = base.lastIndex(of: "/") {
          base = base[..<slash]
        } else if let colon = base.lastIndex(of: ":") {
          return String(base[...colon] + rest)
        }
      } else {
        return String(base + "/" + rest)
      }
    }
  }
}
