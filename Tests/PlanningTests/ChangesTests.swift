import BuildModel
import Foundation
import TestFiles
import Testing

@testable import Planning

/// `--allow-dirty` builds the changes, as a commit of their own, and only what they touch.
@Suite struct ChangesTests {
  private func read(_ repository: TemporaryRepository) throws -> DeviceRepository { try repository.read(allowDirty: true) }

  /// The text of a file in a commit, wherever the commit is.
  private func show(_ file: String, _ repository: DeviceRepository, _ tree: SourceTree) throws -> String {
    for location in repository.locations where location.mirror == tree.mirror {
      if let text = try? GitCommand.run(["show", "\(tree.commit):\(file)"], in: location.path, repository: "r") {
        return String(decoding: text, as: UTF8.self)
      }
    }
    return "nowhere"
  }

  @Test func theChangesAreACommit() throws {
    try withScratchDirectory { scratch in
      let repository = try TemporaryRepository.sample(in: scratch)
      let (head, index) = (try repository.head, try Data(contentsOf: URL(filePath: repository.path + "/.git/index")))
      try repository.write("VERSION", "changed")
      try repository.write("new/file", "new")
      try repository.write("ignored.json", "{}")
      let first = try read(repository)
      #expect(first.checkout.isDirty && !first.isRelease && first.checkout.root.commit.hex != head)
      #expect(try show("VERSION", first, first.checkout.root) == "changed" && show("new/file", first, first.checkout.root) == "new")
      #expect(try show("ignored.json", first, first.checkout.root) == "nowhere")
      #expect(first.changes?.paths == ["VERSION", "new/"] && first.changes?.committed.root.commit.hex == head && first.changes?.isRelease == true)
      #expect(first.version.text == "6.1.24+rev3" && first.checkout.root.tags == ["v6.1.24+rev3"])
      // The same changes are the same commit; the user's repository is as it was.
      #expect(try read(repository).checkout == first.checkout)
      #expect(try Data(contentsOf: URL(filePath: repository.path + "/.git/index")) == index && repository.head == head)
      #expect(throws: PlanningError.self) { try repository.git("cat-file", "-e", first.checkout.root.commit.hex) }
      try repository.write("VERSION", "changed again")
      #expect(try read(repository).checkout.root.commit != first.checkout.root.commit)
    }
  }

  /// The repositories of ours go when nobody needs their commit; what was made a moment ago may be about to be used.
  @Test func repositoriesOfChangesArePruned() throws {
    try withScratchDirectory { scratch in
      var made: [(path: String, commit: CommitID)] = []
      for name in ["needed", "done", "fresh", "old"] {
        let repository = try TemporaryRepository.sample(name, in: scratch)
        try repository.write("VERSION", name)
        let read = try RepositoryReader.read(repository.source, changes: .built(in: scratch + "/changes"))
        made.append((try #require(read.locations.last?.path), read.checkout.root.commit))
      }
      try Data().write(to: URL(filePath: scratch + "/changes/no-repository"))
      let old = [timeval(tv_sec: 1000, tv_usec: 0), timeval(tv_sec: 1000, tv_usec: 0)]
      for place in [0, 3] { utimes(made[place].path + "/refs/heads/changes", old) }
      let repositories = ChangesRepositories(state: scratch)
      #expect(Set(repositories.prune(keeping: [made[0].commit], done: [made[0].path, made[1].path])) == [made[1].path, made[3].path])
      #expect(
        try Set(FileManager.default.contentsOfDirectory(atPath: scratch + "/changes").map { "\(scratch)/changes/\($0)" })
          == [made[0].path, made[2].path, scratch + "/changes/no-repository"])
      #expect(repositories.prune(keeping: [], done: []) == [made[0].path])
      #expect(ChangesRepositories(state: scratch + "/absent").prune(keeping: []).isEmpty)
    }
  }

  @Test func aBundleHasTheChanges() async throws {
    let scratch = try ScratchDirectory.untilExit().path
    let repository = try TemporaryRepository.sample(in: scratch)
    try repository.write("VERSION", "changed")
    let read = try read(repository)
    let tree = read.checkout.root
    let missing = StartAnswer.MissingSource(mirror: tree.mirror, commit: tree.commit, have: [])
    let heads = try await SourceBundles(read.locations, scratch: scratch).withBundle(of: missing, tags: tree.tags) { path in
      String(decoding: try GitCommand.run(["bundle", "list-heads", path], in: scratch, repository: "r"), as: UTF8.self)
    }
    #expect(heads.contains("\(tree.commit) refs/heads/blockfarm") && heads.contains("refs/tags/v6.1.24+rev3"))
  }

  @Test func changesInsideSubmodulesCount() throws {
    try withScratchDirectory { scratch in
      let layer = try TemporaryRepository("layer", in: scratch)
      try layer.write("a", "1")
      try layer.commit()
      let repository = try TemporaryRepository.sample(in: scratch, tag: nil)
      try repository.git("submodule", "--quiet", "add", layer.path, "layer")
      try repository.commit()
      try repository.git("tag", "v1.0.0")
      let clean = try repository.read().checkout
      try repository.write("layer/a", "2")
      let dirty = try read(repository)
      #expect(try show("a", dirty, dirty.checkout.submodules[0].tree) == "2" && dirty.checkout.isDirty)
      #expect(dirty.notices == ["submodule layer is built with its uncommitted changes"] && dirty.changes?.committed == clean)
      // Another commit that is checked out is a change as well.
      let inner = TemporaryRepository(path: repository.path + "/layer", name: "layer")
      try inner.commit()
      let head = try inner.head
      let moved = try read(repository)
      #expect(
        moved.checkout.submodules.map(\.tree.commit.hex) == [head] && moved.notices.map { $0.hasPrefix("submodule layer is built at") } == [true])
    }
  }

  @Test(
    arguments: [
      (["acme.coffee"], ["acme"]), (["other.coffee", "other.hostapp.yml"], ["other"]), (["layers/x/y.bb"], ["acme", "other"]),
      (["VERSION"], ["acme", "other"]), (["contracts/sw.image/x/contract.json"], []), (["acme.svg", "contracts"], ["acme"]),
    ] as [([String], [String])])
  func onlyWhatTheyTouch(_ paths: [String], _ touched: [String]) throws {
    var repository = try PlannerTests.repository(
      "r", [PlannerTests.deviceType("acme"), PlannerTests.deviceType("other")], isRelease: false, isDirty: true)
    let committed = try PlannerTests.repository("r", []).checkout
    repository.checkout.root.commit = try #require(CommitID(String(repeating: "b", count: 40)))
    repository.changes = RepositoryChanges(paths: paths, committed: committed, isRelease: true)
    let plan = try Planner.plan(
      PlanRequest(machines: [], all: true, architectures: [], repositories: [], blocks: .none), repositories: [repository])
    #expect(plan.tasks.filter { $0.source == repository.checkout }.map(\.slug.text) == touched)
    #expect(plan.tasks.filter { $0.source == committed && $0.isRelease }.map(\.slug.text) == ["acme", "other"].filter { !touched.contains($0) })
    #expect(plan.tasks.allSatisfy { $0.notices.count == 1 })
  }

  /// git ignores all JSON files of real repositories: what it does not track is in no commit.
  @Test func contractsThatGitDoesNotTrack() throws {
    try withScratchDirectory { scratch in
      let repository = try TemporaryRepository.sample(in: scratch, tag: nil)
      try repository.write(".gitignore", "*.json\n")
      let contract = #"{"slug": "x", "type": "sw.image.overlay"}"#
      try repository.write("contracts/sw.image/x/contract.json", contract)
      try repository.write("contracts/sw.image/x/Dockerfile", "FROM scratch\n")
      try repository.commit()
      try repository.git("tag", "v1.0.0")
      let unused =
        "git does not track contracts/sw.image/x/contract.json, so it is not used; 'git add --force' and a commit, or --allow-dirty, would use it"
      let clean = try repository.read()
      #expect(clean.contracts.isEmpty && clean.notices == [unused] && clean.isRelease)
      let request = PlanRequest(machines: ["acme"], all: false, architectures: [], repositories: [], blocks: .named(["x"]))
      let error = #expect(throws: PlanningError.self) { try Planner.plan(request, repositories: [clean]) }
      #expect(error?.description == "unknown block 'x'\n" + unused)
      let dirty = try read(repository)
      #expect(dirty.contracts.map(\.slug) == ["x"] && !dirty.isRelease && dirty.checkout.isDirty)
      #expect(dirty.notices == ["git does not track contracts/sw.image/x/contract.json, so it makes no release"])
      #expect(try show("contracts/sw.image/x/contract.json", dirty, dirty.checkout.root) == contract)
      try repository.git("add", "--force", "contracts")
      try repository.commit()
      #expect(try repository.read().contracts.map(\.slug) == ["x"])
    }
  }
}
