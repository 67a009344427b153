import BlobStore
import BuildModel
import FoundationEssentials
import Glibc
import Processes

/// A bare repository that keeps what coordinators sent: `<root>/sources/<hex>.git`.
///
/// `refs/blockfarm/<commit>` keeps each commit with its history alive, `refs/tags/` holds the tags that came along.
package struct SourceMirror: Sendable {
  package let path: String
  private let git: Git

  package init(root: String, name: Digest, git: Git = Git()) {
    path = "\(root)/sources/\(name.hex).git"
    self.git = git
  }

  /// The names of all mirrors below a root.
  package static func all(root: String) -> [Digest] {
    (FileReader.names(in: root + "/sources") ?? []).compactMap { $0.hasSuffix(".git") ? Digest(hex: String($0.dropLast(4))) : nil }.sorted()
  }

  /// Whether the commit and the tags are there. No process is started: the references are looked up as files.
  package func holds(_ tree: SourceTree) -> Bool {
    holdsReference("refs/blockfarm/\(tree.commit)") && tree.tags.allSatisfy { Self.isTagName($0) && holdsReference("refs/tags/\($0)") }
  }

  /// Commits that a thin bundle for `tree` may build on; none when only a tag is missing, because git makes no bundle without commits.
  package func tips(for tree: SourceTree) -> [CommitID] {
    if holdsReference("refs/blockfarm/\(tree.commit)") { return [] }
    var found: [(CommitID, Int)] = []
    for name in FileReader.names(in: path + "/refs/blockfarm") ?? [] {
      var status = stat()
      if let commit = CommitID(name), stat("\(path)/refs/blockfarm/\(name)", &status) == 0 { found.append((commit, status.st_mtim.tv_sec)) }
    }
    return found.sorted { ($0.1, $0.0.hex) > ($1.1, $1.0.hex) }.prefix(64).map(\.0)
  }

  /// Takes in a bundle that leads to `commit`; all of its tags are kept.
  ///
  /// git's own `fetch` of a bundle does not check objects before git 2.46, so the pack is indexed here, strictly: every object is checked and
  /// every link of it must lead to another one of the pack or the mirror, or nothing is kept.
  package func take(bundle path: String, commit: CommitID) throws {
    try make()
    let bundle = try Bundle(path: path)
    for base in bundle.prerequisites {
      _ = try git.run(["cat-file", "-e", "\(base)^{commit}"], in: self.path, subject: "for commit \(base), which the bundle builds on")
    }
    // Irregularities that old, real histories hold and that do no harm.
    let strict = "--strict=zeroPaddedFilemode=ignore,missingSpaceBeforeDate=ignore,badTimezone=ignore"
    try git.run(
      ["index-pack", "--stdin", "--fix-thin", strict], in: self.path, subject: "of the bundle for \(commit)", seconds: 1800, input: bundle.descriptor)

    let incoming = "refs/incoming/\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
    defer { discard(incoming) }
    try update(bundle.heads.enumerated().map { "create \(incoming)/\($0.offset) \($0.element.id)" })
    let containing = try? git.run(["for-each-ref", "--count=1", "--format=%(refname)", "--contains", commit.hex, incoming], in: self.path)
    guard let containing, !containing.isEmpty else { throw SourceError.bundleLacksCommit(commit) }
    let tags = bundle.heads.filter { $0.name.hasPrefix("refs/tags/") && Self.isTagName(String($0.name.dropFirst("refs/tags/".count))) }
    // The commit's reference comes last: whoever sees it may rely on the tags as well.
    try update(tags.map { "update \($0.name) \($0.id)" })
    try update(["update refs/blockfarm/\(commit) \(commit)"])
  }

  /// Changes references, all or none.
  private func update(_ lines: [String]) throws {
    guard !lines.isEmpty else { return }
    // Beside the mirror: /tmp may be full, or small.
    let list = "\(path).\(getpid()).refs"
    guard let file = fopen(list, "w+e") else { throw SourceError.system(operation: "create", path: list, errno: errno) }
    unlink(list)
    defer { fclose(file) }
    _ = fcntl(fileno(file), F_SETFD, FD_CLOEXEC)
    guard fputs(lines.joined(separator: "\n") + "\n", file) >= 0, fflush(file) == 0, lseek(fileno(file), 0, SEEK_SET) == 0 else {
      throw SourceError.system(operation: "write", path: list, errno: errno)
    }
    try git.run(["update-ref", "--stdin"], in: path, input: fileno(file))
  }

  /// Whether git would take the text as a tag name, and nothing in it leads elsewhere.
  static func isTagName(_ text: String) -> Bool {
    guard let path = RelativePath(text), !text.hasPrefix("-"), !text.contains("..") else { return false }
    return path.text.utf8.allSatisfy { $0 > 32 && !"~^:?*[\\".utf8.contains($0) }
      && !path.text.split(separator: "/").contains { $0.hasPrefix(".") || $0.hasSuffix(".lock") }
  }

  private func holdsReference(_ name: String) -> Bool {
    if access("\(path)/\(name)", F_OK) == 0 { return true }
    guard let bytes = BoundedFile.contents(path + "/packed-refs", limit: 16 << 20) else { return false }
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").contains { $0.hasSuffix(" " + name) }
  }

  private func make() throws {
    if access(path, F_OK) == 0 { return }
    let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    if mkdir(parent, 0o755) != 0, errno != EEXIST { throw SourceError.system(operation: "mkdir", path: parent, errno: errno) }
    let temporary = "\(path).\(getpid()).new"
    try git.run(["init", "--quiet", "--bare", "--template=", temporary], in: parent)
    if rename(temporary, path) != 0 {
      let cause = errno
      _ = try? git.run(["init", "--quiet", "--bare", "--template=", path], in: parent)
      guard access(path + "/HEAD", F_OK) == 0 else { throw SourceError.system(operation: "rename", path: path, errno: cause) }
    }
  }

  private func discard(_ prefix: String) {
    guard let names = try? git.run(["for-each-ref", "--format=delete %(refname)", prefix], in: path) else { return }
    try? update(names.split(separator: "\n").map(String.init))
  }
}
