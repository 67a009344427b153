import BlobStore
import BuildModel
import FoundationEssentials
import Glibc

/// A work tree at exact commits, with its submodules in place: repositories of their own that share the mirrors' objects (by reference, or as hard
/// links for builds in a container that sees the work tree alone), so that `git describe` and `git submodule status` in it answer as in a clone. No network, no hooks.
package struct Checkout: Sendable {
  private let root: String
  private let git: Git
  private let ownsObjects: Bool

  /// `root` is the worker's root, where the mirrors are. With `ownsObjects` git works in the tree also where the mirrors cannot be seen.
  package init(root: String, git: Git, ownsObjects: Bool = false) {
    self.root = root
    self.git = git
    self.ownsObjects = ownsObjects
  }

  /// Makes the tree at `path`, or turns what an earlier call left there into it: a file that stays the same keeps its inode and its times, which is
  /// what bitbake knows it by. Everything else that lies there goes. Of the earlier repositories nothing stays but git's list of files.
  package func make(_ source: SourceSpec, at path: String) throws {
    if let earlier = CheckoutRecord.read(at: path) {
      // Whatever keeps the earlier tree from being changed: a new one has no past.
      if (try? lay(source, at: path, over: earlier)) != nil { return }
    }
    try CheckoutRecord.removeTree(path)
    guard mkdir(path, 0o755) == 0 else { throw SourceError.system(operation: "mkdir", path: path, errno: errno) }
    try lay(source, at: path, over: [])
  }

  private func lay(_ source: SourceSpec, at path: String, over earlier: Set<String>) throws {
    // Until it is whole it is no tree that can be changed.
    try CheckoutRecord.remove(at: path)
    for former in earlier.subtracting(source.submodules.map(\.path.text)) { try CheckoutRecord.removeSubmodule(former, of: path) }
    try place(source.root, at: path, repository: source.repository)
    // Parents first: a submodule may lie inside another one.
    for submodule in source.submodules.sorted(by: { $0.path < $1.path }) {
      try checkDirectory(submodule.path, below: path, mayHoldFiles: earlier.contains(submodule.path.text))
      try place(submodule.tree, at: "\(path)/\(submodule.path)", repository: "\(source.repository)/\(submodule.path)")
      try register(submodule, of: source.submodules, at: path)
    }
    try CheckoutRecord.write(source.submodules.map(\.path.text), at: path)
  }

  private func place(_ tree: SourceTree, at path: String, repository: String) throws {
    let mirror = SourceMirror(root: root, name: tree.mirror)
    // Settings, hooks and references of whoever worked there are gone with the directory.
    let (index, kept) = (path + "/.git/index", path + "/.git-index")
    let isKept = rename(index, kept) == 0
    try CheckoutRecord.removeTree(path + "/.git")
    try git.run(["init", "--quiet", "--template=", path], in: path)
    if ownsObjects {
      try linkObjects(mirror.path + "/objects", to: path + "/.git/objects")
    } else {
      try write(mirror.path + "/objects\n", to: path + "/.git/objects/info", name: "alternates")
    }
    for tag in tree.tags {
      guard SourceMirror.isTagName(tag) else { throw SourceError.invalidTag(tag) }
      let id: String
      do {
        id = try git.run(["rev-parse", "--verify", "--quiet", "refs/tags/\(tag)"], in: mirror.path)
      } catch SourceError.git {
        throw SourceError.tagMissing(tag: tag, repository: repository)
      }
      try git.run(["update-ref", "refs/tags/\(tag)", String(id.prefix { $0 != "\n" })], in: path)
    }
    if isKept, rename(kept, index) != 0 { throw SourceError.system(operation: "rename", path: kept, errno: errno) }
    let subject = "\(tree.commit.short) of \(repository)"
    try git.run(["checkout", "--quiet", "--force", "--detach", tree.commit.hex], in: path, subject: subject, seconds: 1800)
    if isKept { try git.run(["clean", "-ffdxq"], in: path, subject: subject) }
    let large = try git.run(["ls-files", "-z", ":(attr:filter=lfs)"], in: path)
    if let first = large.split(separator: "\0").first { throw SourceError.largeFiles(repository: repository, path: String(first)) }
  }

  /// Gives every object and pack of a mirror a further name in the tree. A pack's index comes last, as git itself writes it.
  private func linkObjects(_ source: String, to destination: String) throws {
    for directory in try Self.names(in: source) where directory == "pack" || directory.utf8.count == 2 {
      let (from, to) = ("\(source)/\(directory)", "\(destination)/\(directory)")
      if mkdir(to, 0o755) != 0, errno != EEXIST { throw SourceError.system(operation: "mkdir", path: to, errno: errno) }
      let names = try Self.names(in: from).filter { !$0.hasPrefix("tmp_") && !$0.hasPrefix(".") }
      for name in names.filter({ !$0.hasSuffix(".idx") }) + names.filter({ $0.hasSuffix(".idx") }) {
        guard link("\(from)/\(name)", "\(to)/\(name)") == 0 || errno == EEXIST else {
          throw SourceError.system(operation: "link", path: "\(to)/\(name)", errno: errno)
        }
      }
    }
  }

  private static func names(in directory: String) throws -> [String] {
    guard let names = FileReader.names(in: directory) else { throw SourceError.system(operation: "opendir", path: directory, errno: errno) }
    return names
  }

  /// Makes git in the parent take the submodule for an initialised one.
  private func register(_ submodule: SourceSpec.Submodule, of all: [SourceSpec.Submodule], at top: String) throws {
    let parent = all.filter { submodule.path.text.hasPrefix($0.path.text + "/") }.max { $0.path.text.count < $1.path.text.count }
    let directory = parent.map { "\(top)/\($0.path)" } ?? top
    let local = parent.map { String(submodule.path.text.dropFirst($0.path.text.count + 1)) } ?? submodule.path.text
    let entries = try git.run(["config", "--file", ".gitmodules", "--null", "--get-regexp", "^submodule\\..*\\.path$"], in: directory)
    for entry in entries.split(separator: "\0") {
      let parts = entry.split(separator: "\n", maxSplits: 1)
      guard parts.count == 2, parts[1] == local else { continue }
      let name = parts[0].dropFirst("submodule.".count).dropLast(".path".count)
      let url = SourceMirror(root: root, name: submodule.tree.mirror).path
      try git.run(["config", "submodule.\(name).url", url], in: directory)
      return
    }
    throw SourceError.submoduleNotPlaced(path: submodule.path, reason: "its parent's .gitmodules does not name it")
  }

  /// git leaves an empty directory where a submodule belongs. Anything else there (a link above all) is not written through.
  private func checkDirectory(_ path: RelativePath, below top: String, mayHoldFiles: Bool) throws {
    var place = top
    for component in path.text.split(separator: "/") {
      place += "/\(component)"
      var status = stat()
      guard lstat(place, &status) == 0 else {
        throw SourceError.submoduleNotPlaced(path: path, reason: "the commit has no submodule there")
      }
      guard status.st_mode & S_IFMT == S_IFDIR else {
        throw SourceError.submoduleNotPlaced(path: path, reason: "'\(component)' is not a directory")
      }
    }
    if mayHoldFiles { return }
    guard rmdir(place) == 0, mkdir(place, 0o755) == 0 else {
      throw SourceError.submoduleNotPlaced(path: path, reason: "there is something in its place")
    }
  }

  private func write(_ text: String, to directory: String, name: String) throws {
    if mkdir(directory, 0o755) != 0, errno != EEXIST { throw SourceError.system(operation: "mkdir", path: directory, errno: errno) }
    let path = "\(directory)/\(name)"
    guard let file = fopen(path, "we") else { throw SourceError.system(operation: "create", path: path, errno: errno) }
    defer { fclose(file) }
    guard fputs(text, file) >= 0, fflush(file) == 0 else { throw SourceError.system(operation: "write", path: path, errno: errno) }
  }
}
