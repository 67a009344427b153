import BuildModel
import Foundation
import Source
import TestFiles
import TestPeers
import Testing

/// Mirrors and checkouts with a real git, from real bundles.
final class SourceTests {
  private let directory: ScratchDirectory
  private var scratch: String { directory.path }
  private let root: String

  init() throws {
    directory = try ScratchDirectory()
    root = try directory.makeDirectory("root")
  }

  @Test func aCheckoutAnswersAsACloneWould() throws {
    let (device, spec) = try deviceRepository()
    try take(spec.root, from: device)
    for submodule in spec.submodules { try take(submodule.tree, from: scratch + "/" + submodule.path.lastComponent) }
    let tree = root + "/tree"
    try Checkout(root: root, git: Git()).make(spec, at: tree)

    #expect(try git(tree, "rev-parse", "HEAD") == spec.root.commit.hex)
    #expect(try git(tree, "describe", "--tags", "--abbrev=0") == "v6.1.24+rev3")
    #expect(try git(tree + "/scripts", "describe") == "v1.42.8")
    #expect(try git(tree, "status", "--porcelain") == "")
    let status = try git(tree, "submodule", "status", "--recursive")
    #expect(
      status == "\(spec.submodules[0].tree.commit) scripts (v1.42.8)\n \(spec.submodules[1].tree.commit) scripts/inner (heads/main)"
        || status.contains("scripts/inner"))
    #expect(!status.contains("-\(spec.submodules[0].tree.commit)"), "git takes the submodule for one that was never initialised")
    #expect(try String(contentsOfFile: tree + "/scripts/inner/file", encoding: .utf8) == "inner")
  }

  /// As a container sees it that is given the work tree alone.
  @Test func aTreeWithItsOwnObjectsNeedsNoMirror() throws {
    let (device, spec) = try deviceRepository()
    try take(spec.root, from: device)
    for submodule in spec.submodules { try take(submodule.tree, from: scratch + "/" + submodule.path.lastComponent) }
    let tree = root + "/tree"
    try Checkout(root: root, git: Git(), ownsObjects: true).make(spec, at: tree)
    try FileManager.default.removeItem(atPath: root + "/sources")
    try FileManager.default.moveItem(atPath: tree, toPath: scratch + "/work")
    for (directory, description) in [("work", "v6.1.24+rev3"), ("work/scripts", "v1.42.8")] {
      #expect(try git("\(scratch)/\(directory)", "describe", "--tags", "--abbrev=0") == description)
      #expect(try git("\(scratch)/\(directory)", "status", "--porcelain") == "")
      #expect(try git("\(scratch)/\(directory)", "fsck", "--full", "--no-dangling") == "")
    }
  }

  /// Bitbake knows a recipe by path, time, size and inode: what stays the same is not touched, whatever else changes.
  @Test func aTreeIsChangedInPlace() throws {
    let (device, spec) = try deviceRepository()
    try take(spec.root, from: device)
    for submodule in spec.submodules { try take(submodule.tree, from: scratch + "/" + submodule.path.lastComponent) }
    let tree = root + "/tree"
    try Checkout(root: root, git: Git()).make(spec, at: tree)
    let before = try FileManager.default.attributesOfItem(atPath: tree + "/scripts/file")
    for name in ["ignored.json", "scripts/left/over", "scripts/inner/x"] {
      let path = URL(filePath: "\(tree)/\(name)")
      try FileManager.default.createDirectory(atPath: path.deletingLastPathComponent().path, withIntermediateDirectories: true)
      try Data().write(to: path)
    }
    try Data("changed".utf8).write(to: URL(filePath: tree + "/file"))
    try git(tree, "update-index", "--assume-unchanged", "file")
    // The next commit has a file where the submodule's submodule was, ignores what lies there, and has another file.
    let scripts = scratch + "/scripts"
    try git(scripts, "rm", "--quiet", "--force", "inner")
    let scriptsCommit = try commit(scripts, "inner", "a file now")
    try git(device, "-C", "scripts", "fetch", "--quiet", scripts)
    try git(device, "-C", "scripts", "checkout", "--quiet", scriptsCommit.hex)
    _ = try commit(device, ".gitignore", "*.json\n")
    let next = SourceSpec(
      repository: "balena-acme", root: SourceTree(mirror: mirror("device"), commit: try commit(device, "more", "more"), tags: []),
      submodules: [
        .init(path: try #require(RelativePath("scripts")), tree: SourceTree(mirror: mirror("scripts"), commit: scriptsCommit, tags: []))
      ], isDirty: false)
    try take(next.root, from: device)
    try take(next.submodules[0].tree, from: scripts)
    try Checkout(root: root, git: Git()).make(next, at: tree)
    let after = try FileManager.default.attributesOfItem(atPath: tree + "/scripts/file")
    #expect(
      before[.systemFileNumber] as? Int == after[.systemFileNumber] as? Int && before[.modificationDate] as? Date == after[.modificationDate] as? Date
    )
    #expect(try git(tree, "rev-parse", "HEAD") == next.root.commit.hex && git(tree + "/scripts", "rev-parse", "HEAD") == scriptsCommit.hex)
    #expect(try git(tree, "status", "--porcelain", "--ignored") == "" && git(tree + "/scripts", "status", "--porcelain", "--ignored") == "")
    #expect(try String(contentsOfFile: tree + "/file", encoding: .utf8) == "device")
    #expect(try String(contentsOfFile: tree + "/scripts/inner", encoding: .utf8) == "a file now")
    #expect(try git(tree, "tag") == "")
    // And back, over a tree of which nobody knows whether it is whole.
    try FileManager.default.removeItem(atPath: tree + "/.git/blockfarm-checkout")
    try Checkout(root: root, git: Git()).make(spec, at: tree)
    #expect(try String(contentsOfFile: tree + "/scripts/inner/file", encoding: .utf8) == "inner")
    #expect(try git(tree, "status", "--porcelain", "--ignored") == "" && !FileManager.default.fileExists(atPath: tree + "/more"))
  }

  @Test func aThinBundleBuildsOnWhatIsThere() throws {
    let device = try repository("device")
    let first = SourceTree(mirror: mirror("device"), commit: try commit(device, "a", "1"), tags: [])
    try take(first, from: device)
    try Data(count: 3_000_000).write(to: URL(filePath: device + "/large"))
    let second = SourceTree(mirror: mirror("device"), commit: try commit(device, "a", "2"), tags: [])
    let there = SourceMirror(root: root, name: second.mirror)
    #expect(!there.holds(second))
    #expect(there.tips(for: second) == [first.commit])
    try take(second, from: device, have: there.tips(for: second))
    #expect(there.holds(second))
    #expect(there.holds(first))
    #expect(SourceMirror.all(root: root) == [second.mirror])
    #expect(try git(there.path, "for-each-ref", "refs/incoming") == "")
  }

  /// The prerequisite is not there: nothing must change.
  @Test func aThinBundleWithoutItsBaseIsRefused() throws {
    let device = try repository("device")
    let first = try commit(device, "a", "1")
    let second = SourceTree(mirror: mirror("device"), commit: try commit(device, "a", "2"), tags: [])
    #expect(throws: SourceError.self) { try take(second, from: device, have: [first]) }
    #expect(!SourceMirror(root: root, name: second.mirror).holds(second))
  }

  @Test func aMissingTagAsksForAWholeBundle() throws {
    let device = try repository("device")
    var tree = SourceTree(mirror: mirror("device"), commit: try commit(device, "a", "1"), tags: [])
    try take(tree, from: device)
    try git(device, "tag", "v1")
    tree.tags = ["v1"]
    let there = SourceMirror(root: root, name: tree.mirror)
    #expect(!there.holds(tree))
    #expect(there.tips(for: tree) == [])
    try take(tree, from: device)
    #expect(there.holds(tree))
  }

  @Test func aBundleThatLeadsElsewhereIsRefused() throws {
    let device = try repository("device")
    _ = try commit(device, "a", "1")
    let wanted = SourceTree(mirror: mirror("device"), commit: try #require(CommitID(String(repeating: "ab", count: 20))), tags: [])
    #expect { try self.take(wanted, from: device) } throws: { "\($0)" == "the bundle does not lead to commit \(wanted.commit)" }
  }

  @Test(arguments: ["", "no bundle", "# v2 git bundle\n\n", "# v2 git bundle\n0123456789012345678901234567890123456789 HEAD\n\nPACKgarbage"])
  func garbageIsRefused(_ text: String) throws {
    try Data(text.utf8).write(to: URL(filePath: scratch + "/bundle"))
    let commit = try #require(CommitID(String(repeating: "01", count: 20)))
    #expect(throws: SourceError.self) { try SourceMirror(root: root, name: mirror("device")).take(bundle: scratch + "/bundle", commit: commit) }
  }

  /// A tree with an entry `.git` would write into the checkout's own repository; fsck finds it.
  @Test func aPoisonedTreeIsRefused() throws {
    let device = try repository("device")
    _ = try commit(device, "a", "1")
    let blob = try git(device, "hash-object", "-w", "a")
    let inner = try git(device, input: "100644 blob \(blob)\tconfig\n", "mktree")
    let tree = try git(device, input: "040000 tree \(inner)\t.git\n", "mktree")
    let id = try git(device, "commit-tree", "-m", "x", tree)
    try git(device, "update-ref", "refs/heads/main", id)
    let poisoned = SourceTree(mirror: mirror("device"), commit: try #require(CommitID(id)), tags: [])
    #expect { try self.take(poisoned, from: device) } throws: { "\($0)".contains("hasDotgit") }
  }

  @Test func largeFileStorageIsRefusedByName() throws {
    let device = try repository("device")
    _ = try commit(device, ".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n")
    let tree = SourceTree(mirror: mirror("device"), commit: try commit(device, "blob.bin", "version https://git-lfs.github.com/spec/v1\n"), tags: [])
    try take(tree, from: device)
    let spec = SourceSpec(repository: "balena-acme", root: tree, submodules: [], isDirty: false)
    #expect { try Checkout(root: self.root, git: Git()).make(spec, at: self.root + "/tree") } throws: {
      "\($0)".contains("balena-acme: 'blob.bin' is kept in Git LFS")
    }
  }

  /// The commit has a link where the spec wants a submodule.
  @Test func aSubmoduleIsNotPlacedThroughALink() throws {
    let device = try repository("device")
    try FileManager.default.createDirectory(atPath: scratch + "/outside/scripts", withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(atPath: device + "/layers", withDestinationPath: scratch + "/outside")
    let tree = SourceTree(mirror: mirror("device"), commit: try commit(device, "a", "1"), tags: [])
    try take(tree, from: device)
    let spec = SourceSpec(
      repository: "balena-acme", root: tree, submodules: [.init(path: try #require(RelativePath("layers/scripts")), tree: tree)], isDirty: false)
    #expect { try Checkout(root: self.root, git: Git()).make(spec, at: self.root + "/tree") } throws: {
      "\($0)".contains("'layers' is not a directory")
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch + "/outside/scripts") == [])
  }

  /// A user's hooks and filters, and those of the repository, are not run.
  /// A git that cannot be run at all is reported like one that fails.
  @Test func aGitThatCannotBeRunIsReported() {
    #expect { try Git().run(["status"], in: scratch + "/none", subject: "of acme") } throws: {
      "\($0)" == "git status of acme: run git: enter \(scratch)/none: No such file or directory" && $0 is SourceError
    }
  }

  @Test func nothingOfTheRepositoryIsRun() throws {
    let device = try repository("device")
    _ = try commit(device, ".gitattributes", "* filter=evil\n")
    let tree = SourceTree(mirror: mirror("device"), commit: try commit(device, "a", "1"), tags: [])
    try take(tree, from: device)
    let there = SourceMirror(root: root, name: tree.mirror)
    #expect(try FileManager.default.contentsOfDirectory(atPath: there.path).contains("hooks") == false)
    try Checkout(root: root, git: Git()).make(SourceSpec(repository: "x", root: tree, submodules: [], isDirty: false), at: root + "/tree")
    #expect(FileManager.default.fileExists(atPath: root + "/tree/.git/hooks") == false)
  }

  // MARK: Repositories

  /// A device repository with a submodule in a submodule, tagged.
  private func deviceRepository() throws -> (String, SourceSpec) {
    let inner = try repository("inner")
    let innerCommit = try commit(inner, "file", "inner")
    let scripts = try repository("scripts")
    try git(scripts, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", inner, "inner")
    let scriptsCommit = try commit(scripts, "file", "scripts")
    try git(scripts, "tag", "-a", "-m", "x", "v1.42.8")
    let device = try repository("device")
    try git(device, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "--name", "odd name", scripts, "scripts")
    let commit = try commit(device, "file", "device")
    try git(device, "tag", "-a", "-m", "x", "v6.1.24+rev3")
    return (
      device,
      SourceSpec(
        repository: "balena-acme", root: SourceTree(mirror: mirror("device"), commit: commit, tags: ["v6.1.24+rev3"]),
        submodules: [
          .init(path: try #require(RelativePath("scripts")), tree: SourceTree(mirror: mirror("scripts"), commit: scriptsCommit, tags: ["v1.42.8"])),
          .init(path: try #require(RelativePath("scripts/inner")), tree: SourceTree(mirror: mirror("inner"), commit: innerCommit, tags: [])),
        ], isDirty: false)
    )
  }

  private func repository(_ name: String) throws -> String {
    let path = scratch + "/" + name
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    try git(path, "init", "--quiet", "-b", "main")
    return path
  }

  private func commit(_ path: String, _ file: String, _ text: String) throws -> CommitID {
    try Data(text.utf8).write(to: URL(filePath: path + "/" + file))
    try git(path, "add", "--all")
    try git(path, "commit", "--quiet", "-m", "x")
    return try #require(CommitID(try git(path, "rev-parse", "HEAD")))
  }

  private func mirror(_ name: String) -> Digest {
    let digits = name.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    guard let digest = Digest(hex: digits + String(repeating: "0", count: 64 - digits.count)) else { preconditionFailure("64 digits") }
    return digest
  }

  private func take(_ tree: SourceTree, from repository: String, have: [CommitID] = []) throws {
    let bundle = scratch + "/bundle"
    try git(repository, ["bundle", "create", "--quiet", bundle, "HEAD", "--tags"] + have.map { "^\($0)" })
    try SourceMirror(root: root, name: tree.mirror).take(bundle: bundle, commit: tree.commit)
  }

  @discardableResult
  private func git(_ directory: String, input: String? = nil, _ arguments: String...) throws -> String {
    try git(directory, arguments, input: input)
  }

  @discardableResult
  private func git(_ directory: String, _ arguments: [String], input: String? = nil) throws -> String {
    let environment = [
      "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin", "HOME": "/nonexistent", "GIT_CONFIG_GLOBAL": "/dev/null",
      "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example", "GIT_COMMITTER_NAME": "a",
      "GIT_COMMITTER_EMAIL": "a@example",
    ]
    return try Tool.run(["git", "-C", directory] + arguments, input: input ?? "", environment: environment)
      .trimmingCharacters(in: .whitespacesAndNewlines)
  }
}
