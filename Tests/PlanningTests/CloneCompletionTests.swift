import BuildModel
import Foundation
import TestFiles
import Testing

@testable import Planning

/// What a bundle needs is there before anything starts, or the plan says what to run.
@Suite struct CloneCompletionTests {
  /// A repository with history and tags, and a clone of it.
  private func cloned(_ options: [String], in scratch: String, body: (TemporaryRepository, TemporaryRepository) throws -> Void) throws {
    let origin = try TemporaryRepository.sample("origin", in: scratch, tag: "v1.0.0")
    for text in ["1", "2"] {
      try origin.write("firmware", text)
      try origin.commit()
    }
    try origin.git("config", "uploadpack.allowFilter", "true")
    try origin.git("config", "uploadpack.allowAnySHA1InWant", "true")
    let clone = TemporaryRepository(path: scratch + "/clone", name: "clone")
    _ = try GitCommand.run(
      ["-c", "protocol.file.allow=always", "clone", "--quiet"] + options + ["file://" + origin.path, "clone"], in: scratch, repository: "clone")
    try body(origin, clone)
  }

  @Test func aShallowCloneIsMadeWhole() throws {
    try withScratchDirectory { scratch in
      try cloned(["--depth", "1"], in: scratch) { _, clone in
        let read = try clone.read()
        #expect(read.version.text == "1.0.0" && read.notices == ["the checkout was a shallow clone: the rest of its history was fetched"])
        #expect(try clone.git("rev-parse", "--is-shallow-repository") == "false\n")
        #expect(try clone.read().notices.isEmpty)
      }
    }
  }

  @Test func aShallowCloneWithoutItsRemoteIsRefused() throws {
    try withScratchDirectory { scratch in
      try cloned(["--depth", "1"], in: scratch) { origin, clone in
        try FileManager.default.removeItem(atPath: origin.path)
        let error = #expect(throws: PlanningError.self) { try clone.read() }
        let text = "\(error.map { "\($0)" } ?? "")"
        #expect(text.hasPrefix("repository clone: the checkout is a shallow clone, and the rest of its history cannot be fetched: "), "\(text)")
        #expect(text.contains("origin") && text.hasSuffix("; run: git -C \(clone.path) fetch --unshallow origin"), "\(text)")
        #expect(error?.blame == .repository)
      }
    }
  }

  /// The remote that exists is used and named; without one the remedy is another.
  @Test func theRemedyNamesTheRemote() throws {
    try withScratchDirectory { scratch in
      try cloned(["--depth", "1"], in: scratch) { origin, clone in
        try clone.git("remote", "rename", "origin", "company")
        try clone.git("remote", "set-url", "company", "http://127.0.0.1:1/gone")
        let down = #expect(throws: PlanningError.self) { try clone.read() }
        #expect(down?.description.hasSuffix("run: git -C \(clone.path) fetch --unshallow company") == true, "\(down.map { "\($0)" } ?? "")")
        #expect(down?.blame == .cloud)
        try clone.git("remote", "remove", "company")
        let none = #expect(throws: PlanningError.self) { try clone.read() }
        #expect(
          none?.description.hasSuffix("it has no remote; name one and run blockfarm again: git -C \(clone.path) remote add origin <url>") == true,
          "\(none.map { "\($0)" } ?? "")")
        #expect(none?.blame == .repository)
        try clone.git("remote", "add", "company", "file://" + origin.path)
        try clone.git("remote", "add", "other", "file:///gone")
        try clone.git("config", "branch.master.remote", "company")
        #expect(try clone.read().notices == ["the checkout was a shallow clone: the rest of its history was fetched"])
      }
    }
  }

  /// What actions/checkout and many Jenkins jobs leave.
  @Test func aShallowSubmoduleIsMadeWhole() throws {
    try withScratchDirectory { scratch in
      try withSubmodule(in: scratch) { layer, repository in
        let clone = TemporaryRepository(path: scratch + "/work", name: "work")
        _ = try GitCommand.run(
          ["-c", "protocol.file.allow=always", "clone", "--quiet", "file://" + repository.path, "work"], in: scratch, repository: "work")
        try clone.git("submodule", "--quiet", "update", "--init", "--depth", "1")
        #expect(try clone.git("-C", "layer", "rev-parse", "--is-shallow-repository") == "true\n")
        #expect(try clone.read().notices == ["submodule layer was a shallow clone: the rest of its history was fetched"])
        #expect(try clone.git("-C", "layer", "rev-list", "--count", "HEAD") == "2\n")
      }
    }
  }

  @Test(arguments: ["blob:none", "tree:0"]) func aPartialCloneIsMadeWhole(_ filter: String) throws {
    try withScratchDirectory { scratch in
      try cloned(["--filter", filter], in: scratch) { _, clone in
        // The blob of the commit before was not needed yet.
        let notices = try clone.read().notices
        #expect(notices == ["objects that the checkout lacked were fetched"])
        #expect(try clone.git("rev-list", "--objects", "--missing=print", "HEAD").contains("?") == false)
        #expect(try clone.read().notices.isEmpty)
      }
    }
  }

  @Test func aMissingObjectIsFetchedOrNamed() throws {
    try withScratchDirectory { scratch in
      try cloned([], in: scratch) { _, clone in
        try clone.write("new", "of this clone alone")
        try clone.commit()
        let object = try clone.git("rev-parse", "HEAD:new").trimmingCharacters(in: .whitespacesAndNewlines)
        try FileManager.default.removeItem(atPath: "\(clone.path)/.git/objects/\(object.prefix(2))/\(object.dropFirst(2))")
        let error = #expect(throws: PlanningError.self) { try clone.read() }
        let text = "\(error.map { "\($0)" } ?? "")"
        #expect(text.contains("lacks object \(object) of commit"), "\(text)")
        #expect(
          text.hasSuffix(
            "its remote does not have it either; run, with a repository that has it: git -C \(clone.path) fetch --refetch --no-filter <url>"),
          "\(text)")
      }
    }
  }

  @Test func aCommitThatASubmoduleLacksIsFetchedOrNamed() throws {
    try withScratchDirectory { scratch in
      try withSubmodule(in: scratch) { layer, repository in
        try layer.write("a", "3")
        try layer.commit()
        let next = try layer.head
        try repository.git("update-index", "--cacheinfo", "160000,\(next),layer")
        try repository.git("commit", "--quiet", "--message", "Take the next commit")
        // The work tree is at the commit before, so it differs from the commit to build.
        #expect(throws: PlanningError.self) { try repository.read() }
        try repository.git("config", "submodule.layer.ignore", "all")
        var clone = CloneCompletion(source: repository.source, place: "layer")
        try clone.complete(try #require(CommitID(next)))
        #expect(clone.notices == ["commit \(next.prefix(10)) of submodule layer was fetched"])
        let lost = try #require(CommitID(String(repeating: "1", count: 40)))
        let error = #expect(throws: PlanningError.self) { try clone.complete(lost) }
        let text = "\(error.map { "\($0)" } ?? "")"
        #expect(text.contains("submodule layer lacks commit 1111111111, and it cannot be fetched: "), "\(text)")
        #expect(text.hasSuffix("; run: git -C \(repository.path)/layer fetch origin \(lost)"), "\(text)")
      }
    }
  }

  private func withSubmodule(in scratch: String, body: (_ layer: TemporaryRepository, _ repository: TemporaryRepository) throws -> Void) throws {
    let layer = try TemporaryRepository("layer", in: scratch)
    for text in ["1", "2"] {
      try layer.write("a", text)
      try layer.commit()
    }
    let repository = try TemporaryRepository.sample(in: scratch, tag: nil)
    try repository.git("submodule", "--quiet", "add", "file://" + layer.path, "layer")
    try repository.commit()
    try repository.git("tag", "v1.0.0")
    try body(layer, repository)
  }
}
