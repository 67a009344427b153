import Testing

@testable import TestCloud

@Suite struct ReleaseVersionTests {
  struct Case: Sendable {
    var semver: String?
    var variant = ""
    /// nil is a draft.
    var revision: Int?
    var raw: String
  }

  static let cases = [
    Case(semver: "2.113.14", raw: "2.113.14-1675340283571"),
    Case(semver: "2.113.14", revision: 0, raw: "2.113.14"),
    Case(semver: "2.113.14", revision: 1, raw: "2.113.14+rev1"),
    Case(semver: "1.2.3-beta3", revision: 2, raw: "1.2.3-beta3+rev2"),
    Case(semver: "1.2.3-beta3", raw: "1.2.3-beta3.1675340283571"),
    Case(semver: "1.3.1+build.2", revision: 1, raw: "1.3.1+build.2.rev1"),
    Case(semver: "2.88.4+rev1", variant: "prod", revision: 1, raw: "2.88.4+rev1.prod"),
    Case(revision: 5, raw: "0.0.0+rev5"),
  ]

  @Test(arguments: cases.indices) func composes(_ index: Int) throws {
    let row = Self.cases[index]
    let semver = row.semver.map { SemanticVersion($0) } ?? .unset
    let version = ReleaseVersion(
      semver: try #require(semver), variant: row.variant, revision: row.revision,
      createdAt: CloudDate(milliseconds: 1_675_340_283_571))
    #expect(version.raw == row.raw)
    #expect(version.json["raw"].string == row.raw)
  }

  @Test func toldAsJSON() throws {
    let version = ReleaseVersion(
      semver: try #require(SemanticVersion("1.2.3-beta.4+build.2")), variant: "dev", revision: nil, createdAt: CloudDate(milliseconds: 1000))
    #expect(
      version.json == [
        "raw": "1.2.3-beta.4.1000+build.2.dev", "major": 1, "minor": 2, "patch": 3, "prerelease": ["beta", "4", 1000],
        "build": ["build", "2", "dev"],
        "version": "1.2.3-beta.4.1000",
      ])
  }

  @Test(arguments: [
    "2023.01.0", "1.2", "1.2.3.4", "1.2.3-", "1.2.3-01", "1.2.3+", "a.b.c", "", "1.2.3 ", "1.2.3-a..b", "1.2.3-ü", "9007199254740992.0.0",
  ])
  func refuses(_ text: String) { #expect(SemanticVersion(text) == nil) }

  @Test(arguments: ["0.0.0", "2023.1.0", "1.2.3-0", "1.2.3-a.b-c", "1.2.3+001", "1.2.3-rc.1+x.y", "1.2.3--"])
  func readsBack(_ text: String) { #expect(SemanticVersion(text)?.text == text) }

  @Test func concurrentReleasesGetRevisionsOfTheirOwn() async throws {
    try await withTestCloud(hasRegistry: false) { cloud in
      let caller = Caller.developer(cloud)
      let application = try await caller.application()
      let revisions = try await withThrowingTaskGroup(of: Int?.self) { group in
        for number in 0..<20 {
          group.addTask {
            let body = caller.releaseBody(application, commit: "commit\(number)", ["semver": "1.0.0", "is_final": true])
            return try await caller.post("release", body).json["revision"].int
          }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(revisions.compactMap { $0 }.sorted() == Array(0..<20))
    }
  }

  /// The same table, by the API.
  @Test func theServerComputesRevisions() async throws {
    try await withTestCloud(hasRegistry: false) { cloud in
      let caller = Caller.developer(cloud)
      let application = try await caller.application()
      var count = 0
      func post(_ semver: String?, _ more: [String: JSONValue] = ["is_final": true]) async throws -> Caller.Answer {
        count += 1
        let version: [String: JSONValue] = semver.map { ["semver": .string($0)] } ?? [:]
        return try await caller.post("release", caller.releaseBody(application, commit: "commit\(count)", version.merging(more) { $1 }))
      }
      func raw(_ answer: Caller.Answer) -> String? { answer.json["raw_version"].string }
      let draft = try await post("2.113.14", [:])
      let created = try #require(draft.json["created_at"].string.flatMap { CloudDate(text: $0) })
      #expect(raw(draft) == "2.113.14-\(created.milliseconds)" && draft.json["revision"] == .null && draft.json["is_final"] == false)
      #expect(raw(try await post("2.113.14")) == "2.113.14")
      // Saying nothing of it is final as well, and counts, as do failed and invalidated ones.
      let silent = try await caller.post(
        "release", .object((caller.releaseBody(application, commit: "silent", ["semver": "2.113.14"]).object ?? [:]).filter { $0.key != "is_final" }))
      #expect(raw(silent) == "2.113.14+rev1" && silent.json["revision"] == 1 && silent.json["is_finalized_at__date"] != .null)
      #expect(try await caller.patch("release(\(silent.id))", ["is_invalidated": true]).status == 200)
      #expect(raw(try await post("2.113.14", ["is_final": true, "status": "failed"])) == "2.113.14+rev2")
      #expect(raw(try await post("2.113.14+metadata")) == "2.113.14+metadata.rev3")
      #expect(raw(try await post("2.113.14-rc1")) == "2.113.14-rc1")
      #expect(raw(try await post("2.113.14", ["is_final": true, "variant": "prod"])) == "2.113.14+prod")
      let first = try await post("2.88.4+rev1", ["is_final": true, "variant": "prod"])
      #expect(first.status == 400 && first.json.string?.contains("rev1") ?? false)
      #expect(raw(try await post("2.88.4", ["is_final": true, "variant": "prod"])) == "2.88.4+prod")
      #expect(raw(try await post("2.88.4+rev1", ["is_final": true, "variant": "prod"])) == "2.88.4+rev1.prod")
      for revision in 0..<6 { #expect(raw(try await post(nil)) == (revision == 0 ? "0.0.0" : "0.0.0+rev\(revision)")) }
      // A draft that states a revision is judged when it becomes final.
      let stating = try await post("3.0.0+rev1", [:])
      #expect(stating.status == 201)
      #expect(try await caller.patch("release(\(stating.id))", ["is_final": true]).status == 400)
      #expect(try await caller.get("release(\(stating.id))?$select=is_final").rows == [["is_final": false]])
      // Finalizing: once, for ever, and harmless when repeated.
      #expect(try await caller.patch("release(\(draft.id))", ["is_final": true]).status == 200)
      #expect(try await caller.patch("release(\(draft.id))", ["is_final": true]).status == 200)
      #expect(try await caller.get("release(\(draft.id))?$select=raw_version,revision").rows == [["raw_version": "2.113.14+rev4", "revision": 4]])
      #expect(try await caller.patch("release(\(draft.id))", ["is_final": false]).status == 400)
      // What the server computes cannot be sent.
      let sent = try await post("5.0.0", ["is_final": true, "revision": 7, "semver_major": 9, "raw_version": "x"])
      #expect(raw(sent) == "5.0.0" && sent.json["revision"] == 0 && sent.json["semver_major"] == 5)
      #expect(try await post("2023.01.0").status == 400)
      // Another version gives another revision.
      #expect(try await caller.patch("release(\(sent.id))", ["semver": "2.113.14"]).status == 200)
      #expect(try await caller.get("release(\(sent.id))?$select=raw_version").rows == [["raw_version": "2.113.14+rev5"]])
    }
  }
}
