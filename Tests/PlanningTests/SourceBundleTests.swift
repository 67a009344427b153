import BlobStore
import BuildModel
import Foundation
import Planning
import TestFiles
import Testing

@testable import Planning

/// Bundles from a real repository, read by git itself.
struct SourceBundleTests {
  private let mirror = Digest(hex: String(repeating: "a", count: 64))!

  @discardableResult
  private func git(_ arguments: [String], in directory: String) throws -> String {
    let identity = ["-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "commit.gpgsign=false"]
    let output = try GitCommand.run(identity + arguments, in: directory, repository: "test")
    return String(decoding: output, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
  }

  private func withRepository(_ body: (String, String) async throws -> Void) async throws {
    try await withScratchDirectory { scratch in
      let repository = scratch + "/repository"
      try FileManager.default.createDirectory(atPath: repository, withIntermediateDirectories: true)
      try git(["init", "--quiet"], in: repository)
      for number in 1...2 {
        try Data("\(number)\n".utf8).write(to: URL(filePath: repository + "/file"))
        try git(["add", "file"], in: repository)
        try git(["commit", "--quiet", "-m", "\(number)"], in: repository)
      }
      try git(["tag", "-a", "-m", "v", "v1.0.0", "HEAD~1"], in: repository)
      try await body(repository, scratch)
    }
  }

  @Test func holdsCommitAndTagAndLeavesTheRepositoryAlone() async throws {
    try await withRepository { repository, scratch in
      let head = try #require(CommitID(try git(["rev-parse", "HEAD"], in: repository)))
      let before = try git(["for-each-ref"], in: repository)
      let bundles = SourceBundles([Planning.SourceLocation(mirror: mirror, path: repository)], scratch: scratch)
      try await bundles.withBundle(of: .init(mirror: mirror, commit: head, have: []), tags: ["v1.0.0"]) { path in
        try git(["clone", "--quiet", "--bare", path, "copy.git"], in: scratch)
        #expect(try git(["describe", "--tags", head.hex], in: scratch + "/copy.git").hasPrefix("v1.0.0-1-g"))
      }
      #expect(try git(["for-each-ref"], in: repository) == before)
      #expect(try FileManager.default.contentsOfDirectory(atPath: scratch).sorted() == ["copy.git", "repository"])
    }
  }

  @Test func leavesOutWhatTheOtherSideHas() async throws {
    try await withRepository { repository, scratch in
      let head = try #require(CommitID(try git(["rev-parse", "HEAD"], in: repository)))
      let first = try #require(CommitID(try git(["rev-parse", "HEAD~1"], in: repository)))
      let foreign = try #require(CommitID(String(repeating: "0", count: 39) + "1"))
      let bundles = SourceBundles([Planning.SourceLocation(mirror: mirror, path: repository)], scratch: scratch)
      try await bundles.withBundle(of: .init(mirror: mirror, commit: head, have: [first, foreign]), tags: []) { path in
        // A thin bundle names the commit that it needs, and only the one that both sides know.
        let text = String(decoding: try Data(contentsOf: URL(filePath: path)).prefix(400), as: UTF8.self)
        #expect(text.contains("-\(first.hex)"))
        #expect(!text.contains(foreign.hex))
      }
    }
  }

  @Test func refusesARepositoryThatIsNotPlanned() async throws {
    let commit = try #require(CommitID(String(repeating: "1", count: 40)))
    await #expect(throws: PlanningError.self) {
      try await SourceBundles([], scratch: "/nonexistent").withBundle(of: .init(mirror: mirror, commit: commit, have: []), tags: []) { _ in }
    }
  }
}
