import Balena
import BlobStore
import BuildModel
import Foundation
import HTTPTypes
import Publishing
import PublishingSupport
import Testing

@testable import TestCloud

/// Whole publications against the test cloud and a real registry.
@Suite(.serialized) struct PublishTests {
  @Test func publishesADeviceTypeOnce() async throws {
    try await PublishBench.with { bench in
      let published = try await bench.publish()
      #expect(
        published.map(\.application).map { $0.split(separator: "/")[1] } == [
          "generic-amd64-kernel", "generic-amd64-tools", "generic-amd64", "generic-amd64-hostos",
        ])
      #expect(published.allSatisfy { $0.isFinal && $0.version == "2.60.1" && !$0.wasFound })
      try await bench.expectPublishedOnce()
      let writes = await bench.cloud.traffic.entries.filter { $0.method != .get && $0.method != .head }.count
      #expect(try await bench.publish() == published)
      // Nothing is written the second time.
      #expect(await bench.cloud.traffic.entries.filter { $0.method != .get && $0.method != .head }.count == writes)
      #expect(await Set(bench.journal.entries.map(\.stage)) == [.application, .draft, .complete, .final])
    }
  }

  @Test func uploadsEachLayerOnce() async throws {
    try await PublishBench.with { bench in
      try await bench.publish()
      let uploads = await bench.cloud.traffic.entries.filter { $0.server == .registry && $0.method == .post }
      let mounts = uploads.filter { $0.target.contains("mount=") }
      #expect(!mounts.isEmpty)
      // Of four releases: the shared layer, three own ones and three configs; everything else is mounted.
      let puts = await bench.cloud.traffic.entries.filter { $0.server == .registry && $0.method == .put && $0.target.contains("digest=") }
      #expect(puts.count == 7, "\(puts.map(\.target))")
    }
  }

  @Test func becomesFinalOnlyWhenAskedTo() async throws {
    try await PublishBench.with { bench in
      let drafts = try await bench.publish(SamplePublication(), .draft)
      #expect(drafts.allSatisfy { !$0.isFinal && $0.version.hasPrefix("2.60.1-") })
      try await bench.expectPublishedOnce(isFinal: false)
      #expect(await bench.rows("release_tag").isEmpty)
      let final = try await bench.publish()
      #expect(final.map(\.release) == drafts.map(\.release))
      try await bench.expectPublishedOnce()
    }
  }

  @Test func refusesToFinalizeWhatIsNoRelease() async throws {
    try await PublishBench.with { bench in
      var sample = SamplePublication()
      sample.isRelease = false
      #expect(await complaint { try await bench.publish(sample) }.contains("cannot become final"))
      let drafts = try await bench.publish(sample, .draft)
      #expect(drafts.allSatisfy { $0.version.hasPrefix("0.0.0-") })
      let name = try ApplicationName(organization: "balena_os", name: "generic-amd64-tools")
      let selector = ReleaseSelector.id(drafts[1].release)
      #expect(
        await complaint {
          try await bench.target.finalize(selector, of: name, version: OSVersion("2.60.1")!, rules: [], registry: try bench.registry())
        }.contains("it may not become final: its commit is not the version's tag"))
      // They never satisfy "exists".
      let found = try await bench.target.existingReleases(slug: Slug("generic-amd64"), blocks: [BlockName("tools")], version: OSVersion("2.60.1")!)
      #expect(found.isEmpty)
    }
  }

  @Test func refusesOtherContentUnderTheSameVersion() async throws {
    try await PublishBench.with { bench in
      try await bench.publish()
      var other = SamplePublication()
      other.seed = 2
      let before = await bench.rows("release").count
      let text = await complaint { try await bench.publish(other) }
      #expect(text.contains("balena_os/generic-amd64-kernel 2.60.1 exists as release"))
      #expect(text.contains("--allow-conflict"))
      #expect(await bench.rows("release").count == before)
      let second = try await bench.publish(other, allowConflict: true)
      // The hostapp is the same; the others are known by their tag alone.
      #expect(second.map(\.version) == ["0.0.0", "0.0.0", "2.60.1", "0.0.0"])
      #expect(second.allSatisfy { $0.isFinal })
      let found = try await bench.target.existingReleases(slug: Slug("generic-amd64"), blocks: [BlockName("tools")], version: OSVersion("2.60.1")!)
      #expect(found[try BlockName("tools")]?.release == second[1].release)
    }
  }

  /// A block application starts at revision 0, whatever revision the OS is at.
  @Test func namesReleasesByTagWhereTheServerWouldNumberThemOtherwise() async throws {
    try await PublishBench.with { bench in
      var sample = SamplePublication()
      sample.version = "2.60.1+rev4"
      let published = try await bench.publish(sample)
      #expect(published.allSatisfy { $0.isFinal && $0.version == "0.0.0" }, "\(published.map(\.version))")
      let names = [try BlockName("kernel"), try BlockName("tools"), try BlockName("missing")]
      let version = try #require(OSVersion("2.60.1+rev4"))
      let found = try await bench.target.existingReleases(slug: Slug("generic-amd64"), blocks: names, version: version)
      #expect(found.keys.sorted().map(\.text) == ["kernel", "tools"])
      #expect(found[names[0]]?.reference == published[0].images["kernel"])
      #expect(try await bench.publish(sample) == published)
      // The next one in a row is numbered by the server.
      sample = SamplePublication()
      sample.seed = 3
      _ = try await bench.publish(sample)
      sample.version = "2.60.1+rev1"
      sample.seed = 4
      #expect(try await bench.publish(sample)[0].version == "2.60.1+rev1")
    }
  }

  @Test func takesAReleaseOfSomebodyElseWithTheSameImages() async throws {
    try await PublishBench.with { bench in
      let published = try await bench.publish()
      // As if an older tool had made them: other commits.
      await bench.cloud.engine.edit { state in
        for row in state.database.rows("release") {
          var changed = row
          changed.values["commit"] = .string("00000000000000000000000000000000")
          try? state.database.update("release", changed)
        }
      }
      let again = try await bench.publish()
      #expect(again.allSatisfy { $0.wasFound })
      #expect(again.map(\.release) == published.map(\.release))
    }
  }

  @Test func shiftsSupportLinesOfItsOwnApplications() async throws {
    try await PublishBench.with { bench in
      var sample = SamplePublication()
      for version in ["2023.1.0", "2023.4.0", "2023.7.0", "2023.4.1"] {
        sample.version = version
        let published = try await bench.publish(sample)
        #expect(published.allSatisfy { $0.application.hasSuffix("-esr") && $0.isFinal })
      }
      let application = try #require(try await bench.client().application(slug: "balena_os/generic-amd64-esr"))
      #expect(
        application.tags == [
          "release-policy": "esr", "esr-next": "2023.7.x", "esr-current": "2023.4.x", "esr-sunset": "2023.1.x",
        ])
      let tags = await bench.rows("release_tag").filter { $0["tag_key"] == "meta-balena-base" }
      #expect(tags.count == 16 && tags.allSatisfy { $0["value"] == "2.60.1" })
    }
  }

  @Test func showsVerifiesAndFinalizesOneRelease() async throws {
    try await PublishBench.with { bench in
      let sample = SamplePublication()
      let drafts = try await bench.publish(sample, .draft)
      let publication = try sample.make(in: bench.blobs)
      let (name, version) = (try ApplicationName(organization: "balena_os", name: "generic-amd64-tools"), try #require(OSVersion("2.60.1")))
      let shown = try await bench.target.show(.version(version), of: name)
      #expect(shown.map(\.id) == [drafts[1].release] && shown[0].rawVersion.hasPrefix("2.60.1-") && !shown[0].isFinal)
      let image = publication.blocks[1].image
      let registry = try bench.registry()
      func differences(_ digest: BlobDescriptor) async throws -> [String] {
        let expected = ReleaseExpectation(images: ["tools": digest], assets: [:], assetRules: [])
        return try await bench.target.verify(.version(version), of: name, with: expected, registry: registry).differences
      }
      #expect(try await differences(image.manifest).isEmpty)
      let other = try await differences(publication.blocks[0].image.manifest)
      #expect(other.first?.hasPrefix("'tools' is sha256:") == true)
      let final = try await bench.target.finalize(.version(version), of: name, version: version, rules: [], registry: registry)
      #expect(final.isFinal && final.rawVersion == "2.60.1")
      let published = try await bench.publish(sample)
      #expect(published[1].release == final.id)
      try await bench.expectPublishedOnce()
      // The hostapp's own release lacks an asset that the rules want.
      let hostapp = try ApplicationName(organization: "balena_os", name: "generic-amd64")
      let expected = ReleaseExpectation(
        images: ["hostapp": try #require(publication.hostapp?.image.manifest)], assets: nil, assetRules: [.file("VERSION"), .file("image-raw.json")])
      let verdict = try await bench.target.verify(.version(version), of: hostapp, with: expected, registry: registry)
      #expect(verdict.differences == ["asset image-raw.json is missing"] && verdict.isFinal)
      #expect(
        await complaint { try await bench.target.show(.commit(String(repeating: "0", count: 40)), of: name) }.contains("there is no release commit 0")
      )
    }
  }

  /// What the server calls by another version is neither renamed nor taken back, however it is asked for.
  @Test func finalizesNothingUnderAnotherVersion() async throws {
    try await PublishBench.with { bench in
      let published = try await bench.publish()
      var sample = SamplePublication()
      sample.seed = 9
      sample.version = "2.60.2"
      let drafts = try await bench.publish(sample, .draft)
      let name = try ApplicationName(organization: "balena_os", name: "generic-amd64-tools")
      let registry = try bench.registry()
      let before = await bench.rows("release_tag").count
      for release in [published[1].release, drafts[1].release] {
        let text = await complaint {
          try await bench.target.finalize(.id(release), of: name, version: OSVersion("2.60.11")!, rules: [], registry: registry)
        }
        #expect(text.contains("the server calls it 2.60.") && text.contains("cannot be published as 2.60.11"), "\(text)")
      }
      #expect(await bench.rows("release_tag").count == before)
      #expect(await bench.rows("release").allSatisfy { $0["is_invalidated"] == false })
    }
  }

  /// A release that was allowed beside another one stays, whoever publishes it again.
  @Test(arguments: ["2.60.1", "2.60.1+rev4"]) func keepsWhatWasAllowed(_ version: String) async throws {
    try await PublishBench.with { bench in
      var (first, second) = (SamplePublication(), SamplePublication())
      (first.version, second.version, second.seed) = (version, version, 9)
      try await bench.publish(first)
      let allowed = try await bench.publish(second, allowConflict: true)
      #expect(try await bench.publish(second).map(\.release) == allowed.map(\.release))
      try await bench.publish(first)
      #expect(await bench.rows("release").allSatisfy { $0["is_invalidated"] == false && $0["is_final"] == true })
    }
  }

  /// The server says of an asset no more than its size; one of other content is attached again before the release becomes final.
  @Test func provesAssetsBeforeTheEnd() async throws {
    try await PublishBench.with { bench in
      let sample = SamplePublication()
      try await bench.publish(sample, .draft)
      let application = try #require(try await bench.client().application(slug: "balena_os/generic-amd64"))
      let release = try #require(try await bench.client().rows(CloudRelease.self, where: ReleaseTable.application == application.id).first)
      let file = bench.blobs.root + "/other"
      try Data("12.11.1".utf8).write(to: URL(filePath: file))
      try await bench.client().putAsset("VERSION", file: file, size: 7, filename: "VERSION", contentType: "text/plain", release: release.id)
      try await bench.publish(sample)
      #expect(bench.events.all.contains { "\($0)".contains("asset VERSION of release") })
      let asset = try #require(try await bench.client().assets(of: release.id).first { $0.key == "VERSION" })
      let wanted = try #require(try sample.make(in: bench.blobs).hostapp?.assets.first { $0.key.text == "VERSION" })
      try await bench.client().check(asset, expecting: wanted.blob)
    }
  }

  /// A commit after the tag has the tag's version; its draft is nobody's conflict.
  @Test func makesDraftsBesideWhatIsReleased() async throws {
    try await PublishBench.with { bench in
      try await bench.publish()
      var later = SamplePublication()
      (later.seed, later.isRelease) = (9, false)
      let drafts = try await bench.publish(later, .draft)
      #expect(drafts[0...1].allSatisfy { !$0.isFinal && $0.version.hasPrefix("0.0.0-") })
    }
  }

  /// What is to be done before devices are given anything (the bucket) fails: everything is there, and nothing is final.
  @Test func failsBeforeTheEndWithDraftsOnly() async throws {
    struct Full: Error {}
    try await PublishBench.with { bench in
      let publication = try SamplePublication().make(in: bench.blobs)
      await #expect(throws: Full.self) { try await bench.publisher().publish(publication, .init(mode: .final)) { throw Full() } }
      #expect(await bench.rows("release").allSatisfy { $0["is_final"] == false && $0["status"] == "success" })
      #expect(await bench.rows("release").count == 4)
    }
  }

  /// What a registry has under a digest is compared; that it cannot be asked is no difference.
  @Test func tellsOfOtherContentInTheRegistry() async throws {
    try await PublishBench.with { bench in
      var sample = SamplePublication()
      (sample.blocks, sample.hasHostapp) = (["tools"], false)
      try await bench.publish(sample)
      let (name, version) = (try ApplicationName(organization: "balena_os", name: "generic-amd64-tools"), try #require(OSVersion("2.60.1")))
      let image = try sample.make(in: bench.blobs).blocks[0].image
      let expected = ReleaseExpectation(images: ["tools": image.manifest], assets: nil, assetRules: [])
      func differences(_ faults: Fault...) async throws -> [String] {
        await bench.cloud.traffic.removeFaults()
        for fault in faults { await bench.cloud.traffic.inject(fault) }
        return try await bench.target.verify(.version(version), of: name, with: expected, registry: bench.registry()).differences
      }
      #expect(try await differences().isEmpty)
      let tampered = try await differences(Fault(.registry, .get, "/v2/v2", .reply(status: 200, body: "{}")))
      #expect(tampered.count == 1 && tampered[0].hasPrefix("the manifest of 'tools' is not \(image.manifest.digest): registry "), "\(tampered)")
      // The first of its kind is refused for want of a token, the second is about the manifest.
      let size = try await differences(Fault(.registry, .head, "/v2/v2", nth: 3, .reply(status: 200, body: "1234567")))
      #expect(size.count == 1 && size[0].contains("is not what the manifest says") && size[0].contains("is 7, expected"), "\(size)")
      #expect(await complaint { _ = try await differences(Fault(.registry, .get, "/v2/v2", times: nil, .reply(status: 503))) }.contains("503"))
      // Bytes of the right digest that are no manifest.
      let hash = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
      try await bench.cloud.engine.edit { state in
        for var row in state.database.rows("image") {
          row.values["content_hash"] = .string(hash)
          try state.database.update("image", row)
        }
      }
      let malformed = try await differences(
        Fault(.registry, .head, "/v2/v2", nth: 2, .reply(status: 200)), Fault(.registry, .get, "/v2/v2", .reply(status: 200, body: "{}")))
      #expect(malformed.count == 2 && malformed[1].contains("gave no valid manifest"), "\(malformed)")
    }
  }

  @Test func sendsLargeAssetsInParts() async throws {
    try await PublishBench.with { bench in
      var sample = SamplePublication()
      sample.largeAsset = 12 << 20
      try await bench.publish(sample)
      let application = try #require(try await bench.client().application(slug: "balena_os/generic-amd64"))
      let release = try #require(try await bench.client().rows(CloudRelease.self, where: ReleaseTable.application == application.id).first)
      let asset = try #require(try await bench.client().assets(of: release.id).first { $0.key == "balena-image.manifest" })
      #expect(asset.file?.size == 12 << 20)
      let publication = try sample.make(in: bench.blobs)
      let wanted = try #require(publication.hostapp?.assets.first { $0.key.text == "balena-image.manifest" })
      try await bench.client().check(asset, expecting: wanted.blob)
    }
  }

  @Test func publishesBlocksAlone() async throws {
    try await PublishBench.with { bench in
      var sample = SamplePublication()
      sample.hasHostapp = false
      let published = try await bench.publish(sample)
      #expect(published.map(\.application) == ["balena_os/generic-amd64-kernel", "balena_os/generic-amd64-tools"])
    }
  }

  @Test func keepsPrivateDeviceTypesPrivate() async throws {
    try await PublishBench.with { bench in
      var sample = SamplePublication()
      sample.slug = "secret-board"
      try await bench.publish(sample)
      #expect(await bench.rows("application").allSatisfy { $0["is_public"] == false })
    }
  }

  /// Two coordinators with the same content, all the way at once.
  @Test func twoCoordinatorsMeetInOneRelease() async throws {
    for _ in 0..<3 {
      try await PublishBench.with { bench in
        let sample = SamplePublication()
        async let first = bench.publish(sample)
        async let second = bench.publish(sample)
        let (a, b) = try await (first, second)
        #expect(a.map(\.release) == b.map(\.release))
        #expect(a.map(\.images) == b.map(\.images))
        try await bench.expectPublishedOnce()
        try await bench.expectNothingHalfIsVisible()
      }
    }
  }
}
