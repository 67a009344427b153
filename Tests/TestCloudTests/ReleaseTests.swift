import Testing

@testable import TestCloud

@Suite struct ReleaseTests {
  @Test func releasesAndTheirImages() async throws {
    try await withTestCloud(hasRegistry: false) { cloud in
      await cloud.engine.edit { $0.registry = "registry.example:5000" }
      let caller = Caller.developer(cloud)
      let application = try await caller.application()
      let release = try await caller.release(application)
      let image = try await caller.image(application, release)
      #expect(image.location.hasPrefix("registry.example:5000/v2/") && image.location.count == "registry.example:5000/v2/".count + 32)
      let sent = try await caller.post(
        "image",
        [
          "is_a_build_of__service": 1, "status": "running", "start_timestamp": 1_700_000_000_000, "is_stored_at__image_location": "my/place",
        ])
      #expect(
        sent.status == 201 && sent.json["is_stored_at__image_location"] != "my/place" && sent.json["start_timestamp"] == "2023-11-14T22:13:20.000Z")
      let digest = "sha256:" + String(repeating: "a", count: 64)
      #expect(try await caller.patch("image(\(image.id))", ["status": "success", "content_hash": .string(digest)]).status == 400)
      let success: JSONValue = ["status": "success", "content_hash": .string(digest), "push_timestamp": "2026-01-02T03:04:06Z"]
      #expect(try await caller.patch("image(\(image.id))", success).status == 200)
      for kind in ["Standard Dockerfile", "local deploy"] {
        #expect(try await caller.patch("image(\(image.id))", ["project_type": .string(kind)]).status == 200)
      }
      #expect(try await caller.patch("image(\(image.id))", ["project_type": "block"]).status == 400)
      #expect(try await caller.patch("image(\(image.id))", ["content_hash": .string(digest + "0")]).status == 400)
      _ = try await caller.post(
        "image_label", ["release_image": .integer(image.releaseImage), "label_name": "io.balena.image.class", "value": "overlay"])
      let told = try await caller.get(
        "release(\(release))?$select=id,composition&$expand=release_image($select=id;$expand=image($select=id,content_hash,status;"
          + "$expand=is_a_build_of__service($select=service_name)),image_label($select=label_name,value))")
      #expect(
        told.rows == [
          [
            "id": .integer(release), "composition": ["services": ["main": ["image": "x"]]],
            "release_image": [
              [
                "id": .integer(image.releaseImage),
                "image": [
                  [
                    "id": .integer(image.id), "content_hash": .string(digest), "status": "success",
                    "is_a_build_of__service": [["service_name": "main"]],
                  ]
                ], "image_label": [["label_name": "io.balena.image.class", "value": "overlay"]],
              ]
            ],
          ]
        ])
      for filter in ["release_image/any(ri:ri/is_part_of__release eq \(release))", "is_part_of__release/release eq \(release)"] {
        #expect(try await caller.get("image?$select=id&$filter=\(filter)").rows == [["id": .integer(image.id)]])
      }
      // Deleting a release takes what hangs on it along.
      #expect(try await caller.delete("release(\(release))").status == 200)
      #expect(try await caller.get("image_label/$count").json == ["d": 0])
      #expect(try await caller.get("image__is_part_of__release/$count").json == ["d": 0])
    }
  }

  @Test func severalImagesNeedAnApplicationTypeForThem() async throws {
    try await withTestCloud(hasRegistry: false) { cloud in
      let caller = Caller.developer(cloud)
      let classic = try await caller.post(
        "application", ["app_name": "classic-app", "is_for__device_type": 1, "organization": 1, "application_type": 5]
      ).id
      let release = try await caller.release(classic)
      _ = try await caller.image(classic, release, service: "one")
      let second = try await caller.image(classic, release, service: "two")
      #expect(second.releaseImage == -1)
      let modern = try await caller.application("modern-app")
      let other = try await caller.release(modern)
      _ = try await caller.image(modern, other, service: "one")
      #expect(try await caller.image(modern, other, service: "two").releaseImage > 0)
    }
  }

  @Test func devicesFollowTheLatestRelease() async throws {
    try await withTestCloud(hasRegistry: false) { cloud in
      let caller = Caller.developer(cloud)
      let application = try await caller.application()
      func target() async throws -> Int? {
        try await caller.get("application(\(application))?$select=should_be_running__release").rows[0]["should_be_running__release"]["__id"].int
      }
      let early = try await caller.release(application, commit: "a", ["start_timestamp": "2026-01-01T00:00:00Z"])
      let late = try await caller.release(application, commit: "b", ["start_timestamp": "2026-01-03T00:00:00Z"])
      for release in [early, late] { #expect(try await caller.patch("release(\(release))", ["status": "success"]).status == 200) }
      // Drafts are not run.
      #expect(try await target() == nil)
      #expect(try await caller.patch("release(\(late))", ["is_final": true]).status == 200)
      #expect(try await target() == late)
      #expect(try await caller.patch("release(\(early))", ["is_final": true]).status == 200)
      #expect(try await target() == late)
      #expect(try await caller.delete("release(\(late))").status == 400)
      #expect(try await caller.patch("release(\(late))", ["is_invalidated": true, "invalidation_reason": "broken"]).status == 200)
      #expect(try await target() == early)
      #expect(try await caller.delete("release(\(late))").status == 200)
      #expect(try await caller.patch("release(\(early))", ["invalidation_reason": "x"]).status == 400)
      // A pinned target must be a success of this application.
      let running = try await caller.release(application, commit: "c")
      #expect(try await caller.patch("application(\(application))", ["should_be_running__release": .integer(running)]).status == 400)
      let failed = try await caller.post("release", caller.releaseBody(application, commit: "a", ["status": "failed"]))
      #expect(failed.status == 201)
      let same = try await caller.post("release", caller.releaseBody(application, commit: "a", ["status": "success"]))
      #expect(same.status == 400 && same.json.string?.hasPrefix("It is necessary that") ?? false)
      let other = try await caller.application("another-app")
      #expect(try await caller.post("release", caller.releaseBody(other, commit: "a", ["status": "success"])).status == 201)
    }
  }

  @Test func assetsInOnePiece() async throws {
    try await withTestCloud(hasRegistry: false) { cloud in
      let caller = Caller.developer(cloud)
      let application = try await caller.application()
      let release = try await caller.release(application)
      let content = "line\r\n--not the boundary\r\n\0end"
      let made = try await caller.form(
        .post, "release_asset", [("asset_key", nil, "a/VERSION"), ("asset", "VERSION", content), ("release", nil, "\(release)")])
      #expect(made.status == 201 && made.json["release"] == ["__id": .integer(release)], "\(made.text)")
      #expect(made.json["asset"]["size"].int == content.utf8.count && made.json["asset"]["filename"] == "VERSION")
      let href = try #require(made.json["asset"]["href"].string)
      let path = String(href.dropFirst(cloud.url.count))
      let guest = Caller(cloud: cloud)
      let fetched = try await guest.send(.get, path)
      #expect(fetched.text == content && fetched.headers[.contentType] == "text/plain")
      #expect(try await caller.send(.get, path).status == 400)
      #expect(try await guest.send(.get, path.replacing("X-Signature=", with: "X-Signature=0")).status == 403)
      let twice = try await caller.form(
        .post, "release_asset", [("asset_key", nil, "a/VERSION"), ("asset", "V", "x"), ("release", nil, "\(release)")])
      #expect(twice.status == 409)
      #expect(try await caller.form(.post, "release_asset", [("asset_key", nil, "k"), ("asset", "V", "x")]).status == 500)
      #expect(
        try await caller.form(.post, "release_asset", [("asset_key", nil, "k"), ("asset", nil, "x"), ("release", nil, "\(release)")]).status == 400)
      #expect(try await caller.post("release_asset", ["release": .integer(release), "asset_key": "j", "asset": ["size": 1]]).status == 400)
      #expect(
        try await caller.form(
          .post, "release_asset", [("asset_key", nil, "k"), ("asset", String(repeating: "n", count: 256), "x"), ("release", nil, "\(release)")]
        ).status == 400)
      // Replaced by key only, renamed by JSON.
      #expect(try await caller.form(.patch, "release_asset?$filter=release eq \(release)", [("asset", "VERSION", "new")]).status == 400)
      #expect(try await caller.form(.patch, "release_asset(\(made.id))", [("asset", "VERSION", "new")]).status == 200)
      #expect(try await caller.patch("release_asset(\(made.id))", ["asset_key": "VERSION"]).status == 200)
      let listed = try await caller.get("release_asset?$filter=release eq \(release)&$select=id,asset_key,asset&$orderby=id asc").rows
      #expect(listed.count == 1 && listed[0]["asset_key"] == "VERSION" && listed[0]["asset"]["size"] == 3)
      // A truncated form is no asset.
      let cut = try await caller.send(
        .post, "/v7/release_asset", headers: [.contentType: "multipart/form-data; boundary=B"],
        body: .init(string: "--B\r\nContent-Disposition: form-data; name=\"asset_key\"\r\n\r\nk"))
      #expect(cut.status == 400)
      #expect(try await caller.delete("release_asset(release=\(release),asset_key='VERSION')").status == 200)
      #expect(try await caller.get("release_asset/$count").json == ["d": 0])
    }
  }

  @Test func assetsInParts() async throws {
    var configuration = TestCloudConfiguration()
    configuration.smallestChunk = 10
    try await withTestCloud(configuration, hasRegistry: false) { cloud in
      let caller = Caller.developer(cloud)
      let guest = Caller(cloud: cloud)
      let release = try await caller.release(try await caller.application())
      let asset = try await caller.post("release_asset", ["release": .integer(release), "asset_key": "image.img"]).id
      let content = "0123456789abcdefghijXYZ"
      let description: JSONValue = ["filename": "image.img", "content_type": "application/octet-stream", "size": 23, "chunk_size": 10]
      for bad: JSONValue in [
        ["asset": ["filename": "x"]], ["asset": description, "more": 1],
        ["asset": .object((description.object ?? [:]).merging(["chunk_size": 9]) { $1 })],
        ["asset": .object((description.object ?? [:]).merging(["checksum": "x"]) { $1 })],
      ] {
        #expect(try await caller.post("release_asset(\(asset))/beginUpload", bad).status == 400)
      }
      #expect(try await Caller.outsider(cloud).post("release_asset(\(asset))/beginUpload", ["asset": description]).status == 401)
      let begun = try await caller.post("release_asset(\(asset))/beginUpload", ["asset": description])
      let uuid = begun.json["asset"]["uuid"]
      let parts = begun.json["asset"]["uploadParts"].array ?? []
      #expect(begun.status == 200 && parts.map { $0["chunkSize"].int } == [10, 10, 3] && parts.map { $0["partNumber"].int } == [1, 2, 3])
      var list: [JSONValue] = []
      for (index, part) in parts.enumerated() {
        let path = String((part["url"].string ?? "").dropFirst(cloud.url.count))
        let bytes = Array(content.utf8)[(index * 10)..<min(index * 10 + 10, 23)]
        #expect(path.hasPrefix("/storage/"))
        #expect(try await caller.send(.put, path, body: .init(bytes: bytes)).status == 400)
        #expect(try await guest.send(.put, path, body: .init(bytes: bytes.dropLast())).status == 400)
        let put = try await guest.send(.put, path, body: .init(bytes: bytes))
        let tag = try #require(put.headers[.eTag])
        #expect(put.status == 200 && tag.hasPrefix("\"") && tag.hasSuffix("\""))
        list.append(["PartNumber": .integer(index + 1), "ETag": .string(String(tag.dropFirst().dropLast()))])
      }
      func commit(_ parts: [JSONValue]) async throws -> Caller.Answer {
        try await caller.post("release_asset(\(asset))/commitUpload", ["uuid": uuid, "providerCommitData": ["Parts": .array(parts)]])
      }
      #expect(try await commit(list.reversed()).status == 400)
      #expect(try await commit(list.dropLast()).status == 400)
      // Right tags under wrong numbers.
      let misnumbered = zip(list, [2, 1, 3]).map { part, number in ["PartNumber": .integer(number), "ETag": part["ETag"]] as JSONValue }
      #expect(try await commit(misnumbered).status == 400)
      #expect(try await commit([list[0], list[1], ["PartNumber": 3, "ETag": "wrong"]]).status == 400)
      let done = try await commit(list)
      #expect(done.status == 200 && done.json["size"] == 23)
      let href = String((done.json["href"].string ?? "").dropFirst(cloud.url.count))
      #expect(try await guest.send(.get, href).text == content)
      #expect(try await commit(list).status == 401)
      let second = try await caller.post("release_asset(\(asset))/beginUpload", ["asset": description]).json["asset"]["uuid"]
      #expect(try await caller.post("release_asset(\(asset))/cancelUpload", ["uuid": second]).status == 204)
      #expect(try await caller.post("release_asset(\(asset))/cancelUpload", ["uuid": second]).status == 401)
    }
  }

  @Test func publicAssetsAreForEverybody() async throws {
    var configuration = TestCloudConfiguration()
    configuration.assetLinkSeconds = 0
    try await withTestCloud(configuration, hasRegistry: false) { cloud in
      let admin = try await Caller.admin(cloud)
      let application = try await admin.application()
      let release = try await admin.release(application)
      _ = try await admin.form(.post, "release_asset", [("asset_key", nil, "k"), ("asset", "f", "x"), ("release", nil, "\(release)")])
      let guest = Caller(cloud: cloud)
      #expect(try await guest.get("release_asset").rows == [])
      _ = try await admin.patch("application(\(application))", ["is_public": true])
      let row = try #require(try await guest.get("release_asset?$select=asset").rows.first)
      // Links end: this one has ended already.
      #expect(try await guest.send(.get, String((row["asset"]["href"].string ?? "").dropFirst(cloud.url.count))).status == 403)
    }
  }
}
