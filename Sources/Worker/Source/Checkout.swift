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

  /// Makes the tree at `path`, which must not exist.
  package func make(_ source: SourceSpec, at path: String) throws {
    guard mkdir(path, 0o755) == 0 else { throw SourceError.system(operation: "mkdir", path: path, errno: errno) }
    try place(source.root, at: path, repository: source.repository)
    // Parents first: a submodule may lie inside another one.
    for submodule in source.submodules.sorted(by: { $0.path < $1.path }) {
      try checkEmptyDirectory(submodule.path, below: path)
      try place(submodule.tree, at: "\(path)/\(submodule.path)", repository: "\(source.repository)/\(submodule.path)")
      try register(submodule, of: source.submodules, at: path)
    }
  }

  private func place(_ tree: SourceTree, at path: String, repository: String) throws {
    let mirror = SourceMirror(root: root, name: tree.mirror)
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
    try git.run(["checkout", "--quiet", "--detach", tree.commit.hex], in: path, subject: "\(tree.commit.short) of \(repository)", seconds: 1800)
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
    guard let handle = opendir(directory) else { throw SourceError.system(operation: "opendir", path: directory, errno: errno) }
    defer { closedir(handle) }
    var names: [String] = []
    while let entry = readdir(handle) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
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
  private func checkEmptyDirectory(_ path: RelativePath, below top: String) throws {
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
