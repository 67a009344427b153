import Testing

@testable import TestCloud

@Suite struct ApplicationTests {
  @Test func slugsAndNames() async throws {
    try await withTestCloud(hasRegistry: false) { cloud in
      let caller = Caller.developer(cloud)
      let answer = try await caller.post("application", ["app_name": "Raspberry-Pi", "is_for__device_type": 1, "organization": 1])
      #expect(answer.status == 201 && answer.json["slug"] == "balena_os/raspberry-pi" && answer.json["is_of__class"] == "fleet")
      #expect(answer.json["should_track_latest_release"] == true && answer.json["uuid"].string?.count == 32)
      #expect(answer.headers[.location] == "/v7/application(@id)?@id=\(answer.id)")
      #expect(try await caller.send(.get, answer.headers[.location] ?? "").rows[0]["id"].int == answer.id)
      #expect(try await caller.get("application?$filter=slug eq 'balena_os/raspberry-pi'&$select=id").rows.count == 1)
      #expect(try await caller.get("application?$filter=slug eq 'balena_os/Raspberry-Pi'&$select=id").rows == [])
      let again = try await caller.post("application", ["app_name": "raspberry-pi", "is_for__device_type": 1, "organization": 1])
      #expect(again.status == 409 && again.json == "\"slug\" must be unique.")
      for bad in ["abc", "has space", "slash/ed", String(repeating: "x", count: 101)] {
        #expect(
          try await caller.post("application", ["app_name": .string(bad), "is_for__device_type": 1, "organization": 1]).status == 400, "\(bad)")
      }
      #expect(try await caller.post("application", ["app_name": "no-organization", "is_for__device_type": 1]).status == 500)
      #expect(try await caller.post("application", ["app_name": "not-mine", "is_for__device_type": 1, "organization": 2]).status == 401)
      #expect(
        try await caller.post("application?returnResource=false", ["app_name": "short", "is_for__device_type": 1, "organization": 1]).json.object?
          .count == 1)
    }
  }

  @Test func versionsDiffer() async throws {
    try await withTestCloud(hasRegistry: false) { cloud in
      var six = try await Caller.admin(cloud)
      let seven = six
      six.version = "v6"
      let made = try await six.post("application", ["app_name": "by-alias", "device_type": "genericx86-64"])
      #expect(made.status == 201 && made.json["actor"].int != nil)
      #expect(try await six.post("application", ["app_name": "by-nothing", "device_type": "no-such"]).status == 404)
      let told = try await seven.get("application(\(made.id))?$select=actor&$expand=is_for__device_type($select=slug)").rows[0]
      #expect(told["actor"]["__id"] == made.json["actor"] && told["is_for__device_type"] == [["slug": "intel-nuc"]])
      #expect(try await six.patch("application(\(made.id))", ["is_host": true]).text == "\"OK\"")
      // Not writable in newer versions: alone it is nothing to change.
      #expect(try await seven.patch("application(\(made.id))", ["is_host": false]).status == 500)
      let changed = try await seven.patch("application(\(made.id))", ["is_public": true])
      #expect(changed.status == 200 && changed.text.isEmpty)
      #expect(try await six.get("my_application?$select=app_name").rows == [["app_name": "by-alias"]])
      #expect(try await seven.get("my_application").status == 401)
      #expect(try await six.get("release_asset").status == 401)
      #expect(try await seven.get("release_asset").status == 200)

      let contract: JSONValue = ["type": "sw.block", "slug": "x"]
      let release = try await six.release(made.id, ["contract": .string(contract.text), "is_final": nil].filter { !$0.value.isNull })
      #expect(try await seven.get("release(\(release))?$select=contract").rows == [["contract": contract]])
      let asSix = try await six.get("release(\(release))").rows[0]
      #expect(JSONValue(parsing: (asSix["contract"].string ?? "").utf8) == contract && asSix["release_type"] == "draft")
      #expect(try await six.post("release", six.releaseBody(made.id, ["release_type": "final"])).status == 400)
      #expect(try await seven.get("release(\(release))").rows[0].object?.keys.contains("release_type") == false)
      let image = try await seven.image(made.id, release)
      #expect(try await seven.patch("image(\(image.id))", ["image_size": "12345678901234567890"]).status == 200)
      #expect(try await seven.get("image(\(image.id))?$select=image_size").rows == [["image_size": "12345678901234567890"]])
      #expect(try await six.get("image(\(image.id))?$select=image_size").rows[0]["image_size"].double == Double("12345678901234567890"))
    }
  }

  @Test func uniquePairsAndTagKeys() async throws {
    try await withTestCloud(hasRegistry: false) { cloud in
      let caller = Caller.developer(cloud)
      let application = try await caller.application()
      let release = try await caller.release(application)
      let image = try await caller.image(application, release)
      let pairs: [(String, JSONValue, String)] = [
        ("application_tag", ["application": .integer(application), "tag_key": "k", "value": "v"], "\"application\" and \"tag_key\""),
        ("release_tag", ["release": .integer(release), "tag_key": "k", "value": "v"], "\"release\" and \"tag_key\""),
        ("service", ["application": .integer(application), "service_name": "second"], "\"application\" and \"service_name\""),
        ("image_label", ["release_image": .integer(image.releaseImage), "label_name": "k", "value": "v"], "\"release_image\" and \"label_name\""),
        ("image_environment_variable", ["release_image": .integer(image.releaseImage), "name": "k", "value": ""], "\"release_image\" and \"name\""),
        ("release_asset", ["release": .integer(release), "asset_key": "a/b"], "\"release\" and \"asset_key\""),
      ]
      for (resource, body, names) in pairs {
        #expect(try await caller.post(resource, body).status == 201, "\(resource)")
        let again = try await caller.post(resource, body)
        #expect(again.status == 409 && again.json.string == names + " must be unique.", "\(resource): \(again.text)")
      }
      let part: JSONValue = ["is_part_of__release": .integer(release), "image": .integer(image.id)]
      #expect(try await caller.post("image__is_part_of__release", part).status == 409)
      for key in ["io.resin.x", "io.balena.x", "a b", "a\tb", "", String(repeating: "k", count: 165)] {
        let tag: JSONValue = ["release": .integer(release), "tag_key": .string(key), "value": "v"]
        #expect(try await caller.post("release_tag", tag).status == 400, "\(key)")
      }
      let natural = try await caller.get("release_asset(release=\(release),asset_key='a%2Fb')?$select=asset_key,asset")
      #expect(natural.rows == [["asset_key": "a/b", "asset": nil]])
      #expect(try await caller.get("release_tag(tag_key='k')").status == 400)
      // The way of official clients: POST, and after 409 a PATCH by filter.
      #expect(try await caller.patch("release_tag?$filter=(release eq \(release)) and (tag_key eq 'k')", ["value": "w"]).status == 200)
      #expect(try await caller.get("release_tag?$select=tag_key,value").rows == [["tag_key": "k", "value": "w"]])
    }
  }

  @Test func odds() async throws {
    try await withTestCloud(hasRegistry: false) { cloud in
      let caller = Caller.developer(cloud)
      let application = try await caller.application()
      #expect(try await caller.get("application(999)").json == ["d": []])
      #expect(try await caller.patch("application(999)", ["is_archived": true]).status == 200)
      #expect(try await caller.patch("application?$filter=slug eq 'none'", ["is_archived": true]).status == 200)
      #expect(try await caller.delete("release(999)").status == 200)
      #expect(try await caller.delete("application(999)").status == 404)
      for unknown in ["nothing", "nothing(1)"] {
        let answer = try await caller.get(unknown)
        #expect(answer.status == 401 && answer.text.isEmpty)
      }
      for broken in [
        "application?$filter=nofield eq 1", "application?$select=nofield", "application?$expand=nofield", "application?$orderby=nofield asc",
        "release?$filter=revision eq 'rev3'", "application?$filter=slug eq 5", "application?$filter=is_host eq 'true'",
        "application?$filter=owns__release/any(r:r/nofield eq 1)",
      ] {
        let answer = try await caller.get(broken)
        #expect(answer.status == 500 && answer.text.isEmpty, "\(broken)")
      }
      for malformed in ["application?$filter=is_public eq truel20and (", "application(", "application?$top=many"] {
        #expect(try await caller.get(malformed).status == 400, "\(malformed)")
      }
      #expect(try await caller.patch("application(\(application))", [:]).status == 400)
      #expect(try await caller.patch("application(\(application))", ["nofield": 1]).status == 500)
      #expect(try await caller.post("service", ["application": .integer(application)]).status == 500)
      #expect(try await caller.post("service", ["application": .integer(application), "service_name": 5, "nofield": 1]).status == 201)
      #expect(try await caller.post("service", ["application": "x", "service_name": "s"]).status == 400)
      #expect(try await caller.post("release", caller.releaseBody(application, ["status": "odd"])).status == 400)
      #expect(try await caller.post("release", caller.releaseBody(application, ["start_timestamp": "yesterday"])).status == 400)
      let note = try await caller.post("release", caller.releaseBody(application, ["note": .string(String(repeating: "x", count: 600_000))]))
      #expect(note.status == 413)
      #expect(try await caller.send(.post, "/v7/release", "text").status == 400)
      #expect(try await caller.post("application(\(application))/canAccess", ["action": "update"]).json == ["d": [["id": .integer(application)]]])
      #expect(try await caller.post("application(\(application))/canAccess", ["method": "PATCH"]).status == 200)
      #expect(try await caller.post("application(\(application))/canAccess", ["method": "PATCH", "action": "update"]).status == 400)
      #expect(try await Caller.outsider(cloud).post("application(\(application))/canAccess", ["action": "update"]).status == 401)
      // PUT makes, then changes.
      let url = "application_tag(application=\(application),tag_key='k')"
      #expect(try await caller.send(.put, "/v7/" + url, ["value": "1"]).status == 200)
      #expect(try await caller.send(.put, "/v7/" + url, ["value": "2"]).status == 200)
      #expect(try await caller.get("application_tag?$select=value").rows == [["value": "2"]])
      // A device type of another architecture.
      #expect(try await caller.patch("application(\(application))", ["is_for__device_type": 4]).status == 400)
      #expect(try await caller.patch("application(\(application))", ["is_for__device_type": 6]).status == 200)
    }
  }

  @Test func queries() async throws {
    try await withTestCloud(hasRegistry: false) { cloud in
      let caller = Caller.developer(cloud)
      let one = try await caller.application("first-app")
      let two = try await caller.application("second-app")
      for (application, commits) in [(one, ["a", "b", "c"]), (two, ["a"])] {
        for commit in commits {
          let release = try await caller.release(application, commit: commit, ["note": commit == "b" ? nil : "it's 100%"])
          _ = try await caller.post("release_tag", ["release": .integer(release), "tag_key": "version", "value": .string("1.2.3-\(commit)")])
        }
      }
      func commits(_ query: String) async throws -> [String] {
        let answer = try await caller.get("release?$select=commit&\(query)")
        #expect(answer.status == 200, "\(query): \(answer.text)")
        return answer.rows.map { $0["commit"].string ?? "?" }
      }
      // The direction left out is the descending one.
      #expect(try await commits("$filter=belongs_to__application eq \(one)&$orderby=commit") == ["c", "b", "a"])
      #expect(try await commits("$orderby=commit asc&$filter=belongs_to__application%20eq%20\(one)") == ["a", "b", "c"])
      #expect(try await commits("$orderby=id asc&$top=2&$skip=1") == ["b", "c"])
      #expect(try await commits("$filter=belongs_to__application/slug eq 'balena_os/second-app'") == ["a"])
      #expect(try await commits("$filter=belongs_to__application/any(a:a/slug eq 'balena_os%2Fsecond-app')") == ["a"])
      #expect(try await commits("$filter=commit in ('a','c')&$orderby=id asc") == ["a", "c", "a"])
      #expect(try await commits("$filter=note eq null") == ["b"])
      #expect(try await commits("$filter=(note ne null) and (commit ne 'a')") == ["c"])
      #expect(try await commits("$filter=note eq 'it''s 100%25'&$top=1&$orderby=id asc") == ["a"])
      #expect(try await commits("$filter=release_tag/any(t:(t/tag_key eq 'version') and (t/value eq '1.2.3-c'))") == ["c"])
      #expect(try await commits("$filter=not release_tag/any(t:t/value eq '1.2.3-c')&$orderby=id asc") == ["a", "b", "a"])
      #expect(try await commits("$filter=release_tag/$count eq 1&$orderby=id asc").count == 4)
      // Equal precedence: ((commit = b or app = two) and commit = a).
      #expect(try await commits("$filter=commit eq 'b' or belongs_to__application eq \(two) and commit eq 'a'") == ["a"])
      #expect(try await caller.get("release/$count?$filter=commit eq 'a'").json == ["d": 2])
      let expanded = try await caller.get(
        "application?$orderby=id asc&$select=id&$expand=owns__release($select=commit;$filter=commit ne 'b';$orderby=commit asc;"
          + "$expand=release_tag($select=value),belongs_to__application($select=app_name)),release/$count&$top=1")
      #expect(
        expanded.rows == [
          [
            "id": .integer(one), "release": 3,
            "owns__release": [
              ["commit": "a", "release_tag": [["value": "1.2.3-a"]], "belongs_to__application": [["app_name": "first-app"]]],
              ["commit": "c", "release_tag": [["value": "1.2.3-c"]], "belongs_to__application": [["app_name": "first-app"]]],
            ],
          ]
        ])
      #expect(
        try await caller.get("device_type?$select=slug&$filter=device_type_alias/any(dta:dta/is_referenced_by__alias eq 'genericx86-64')").rows
          == [["slug": "intel-nuc"]])
      #expect(try await caller.get("organization(handle='balena_os')?$select=id").rows == [["id": 1]])
      #expect(
        try await caller.get("team?$select=name&$filter=(name eq 'OS Devs') and (belongs_to__organization/any(o:o/handle eq 'balena_os'))").rows
          == [["name": "OS Devs"]])
      // A relation to one row is written as its id, and no row as null.
      #expect(
        try await caller.get("application(\(one))?$select=organization,should_be_running__release").rows == [
          ["organization": ["__id": 1], "should_be_running__release": nil]
        ])
    }
  }
}
