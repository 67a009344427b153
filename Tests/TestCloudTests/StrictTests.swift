import Testing

@testable import TestCloud

@Suite struct StrictTests {
  private func withStrictCloud(_ body: (TestCloud, Caller) async throws -> Void) async throws {
    var configuration = TestCloudConfiguration()
    configuration.isStrict = true
    try await withTestCloud(configuration, hasRegistry: false) { cloud in
      await cloud.engine.edit { $0.hasManifest = { _, digest in digest == Self.digest } }
      var caller = try await Caller.admin(cloud)
      caller.version = "v7"
      try await body(cloud, caller)
    }
  }

  private static let digest = "sha256:" + String(repeating: "a", count: 64)
  private let success: JSONValue = ["status": "success", "content_hash": .string(Self.digest), "push_timestamp": "2026-01-02T03:04:06Z"]

  private func expectRefused(_ answer: Caller.Answer, _ text: String, _ location: SourceLocation = #_sourceLocation) {
    #expect(
      answer.status == 400 && (answer.json.string ?? "").hasPrefix("strict: ") && answer.text.contains(text), "\(answer.status) \(answer.text)",
      sourceLocation: location)
  }

  @Test func wholeReleasesOnly() async throws {
    try await withStrictCloud { _, caller in
      let application = try await caller.application()
      let release = try await caller.release(application)
      expectRefused(try await caller.patch("release(\(release))", ["status": "success"]), "at least one image")
      expectRefused(try await caller.patch("release(\(release))", ["is_final": true]), "only a successful release")
      let image = try await caller.image(application, release)
      expectRefused(try await caller.patch("release(\(release))", ["status": "success"]), "is running")
      expectRefused(try await caller.patch("image(\(image.id))", ["status": "success", "push_timestamp": 1]), "without a content hash")
      var other = success.object ?? [:]
      other["content_hash"] = .string("sha256:" + String(repeating: "b", count: 64))
      expectRefused(try await caller.patch("image(\(image.id))", .object(other)), "no manifest")
      #expect(try await caller.patch("image(\(image.id))", success).status == 200)
      #expect(try await caller.patch("release(\(release))", ["status": "success"]).status == 200)
      #expect(try await caller.patch("release(\(release))", ["is_final": true]).status == 200)
      // Afterwards only what is said about it may change.
      #expect(try await caller.patch("release(\(release))", ["note": "n", "phase": "next"]).status == 200)
      #expect(try await caller.post("release_tag", ["release": .integer(release), "tag_key": "k", "value": "v"]).status == 201)
      expectRefused(try await caller.patch("release(\(release))", ["composition": [:]]), "does not change: composition")
      expectRefused(try await caller.patch("image(\(image.id))", ["dockerfile": "FROM scratch"]), "does not change")
      expectRefused(
        try await caller.post("image_label", ["release_image": .integer(image.releaseImage), "label_name": "k", "value": "v"]),
        "no further image_label")
      expectRefused(try await caller.post("release_asset", ["release": .integer(release), "asset_key": "k"]), "no further release_asset")
      expectRefused(try await caller.delete("image__is_part_of__release(\(image.releaseImage))"), "nothing of a final release")
      #expect(try await caller.patch("release(\(release))", ["is_invalidated": true, "invalidation_reason": "r"]).status == 200)
    }
  }

  @Test func compositionsNameTheirImages() async throws {
    try await withStrictCloud { _, caller in
      let application = try await caller.application()
      let release = try await caller.release(application, ["composition": ["services": ["main": [:], "second": [:]]]])
      let image = try await caller.image(application, release)
      #expect(try await caller.patch("image(\(image.id))", success).status == 200)
      expectRefused(try await caller.patch("release(\(release))", ["status": "success"]), "composition has services")
    }
  }

  @Test func hostReleasesHaveTheirAssets() async throws {
    try await withStrictCloud { _, caller in
      let application = try await caller.application()
      var six = caller
      six.version = "v6"
      #expect(try await six.patch("application(\(application))", ["is_host": true]).status == 200)
      let release = try await caller.release(application)
      let image = try await caller.image(application, release)
      #expect(try await caller.patch("image(\(image.id))", success).status == 200)
      #expect(try await caller.patch("release(\(release))", ["status": "success"]).status == 200)
      for key in ["VERSION", "VERSION_HOSTOS"] {
        _ = try await caller.form(.post, "release_asset", [("release", nil, "\(release)"), ("asset_key", nil, key), ("asset", "f", "x")])
      }
      // A row without its file is none.
      #expect(try await caller.post("release_asset", ["release": .integer(release), "asset_key": "device-type.json"]).status == 201)
      expectRefused(try await caller.patch("release(\(release))", ["is_final": true]), "device-type.json")
      let row = try await caller.get("release_asset(release=\(release),asset_key='device-type.json')?$select=id").rows[0]["id"].int ?? 0
      #expect(try await caller.form(.patch, "release_asset(\(row))", [("asset", "f", "{}")]).status == 200)
      #expect(try await caller.patch("release(\(release))", ["is_final": true]).status == 200)
    }
  }

  @Test func careless() async throws {
    try await withStrictCloud { cloud, caller in
      let application = try await caller.application()
      expectRefused(try await caller.patch("application", ["is_archived": true]), "without key and filter")
      expectRefused(try await caller.delete("release"), "without key and filter")
      expectRefused(try await caller.patch("application(\(application))", ["is_archived": true, "nofield": 1]), "nofield")
      expectRefused(try await caller.patch("application(\(application))", ["is_host": true]), "is_host")
      expectRefused(try await caller.post("release", caller.releaseBody(application, ["revision": 1])), "revision")
      expectRefused(try await Caller(cloud: cloud).send(.get, "/v7/application?apikey=\(cloud.accounts.admin.apiKey)"), "credentials in URLs")
    }
  }
}
