import Balena
import BlobStore
import BuildModel
import Foundation
import HTTP
import HTTPTypes
import Publishing
import PublishingSupport
import Synchronization
import TestPeers
import Testing

@testable import TestCloud

/// Publications through a cloud that fails.
@Suite(.serialized) struct FaultTests {
  /// What is true of the run that hits a fault.
  enum Expectation: Sendable { case recovers, fails(String) }

  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let faults: [Fault]
    var testDescription: String { name }
    init(_ name: String, _ faults: Fault...) { (self.name, self.faults) = (name, faults) }
  }

  /// All of these are got over within one run: nothing twice, nothing missing.
  static let passing: [Case] = [
    Case("429 on a POST", Fault(.api, .post, "/v7/release", .rateLimited(seconds: 3))),
    Case("429 on everything for a while", Fault(nil, nil, nil, nth: 5, times: 4, .rateLimited(seconds: 1))),
    Case("500 on reading", Fault(.api, .get, "/v7/application", times: 2, .reply(status: 500))),
    Case("503 after a POST was carried out", Fault(.api, .post, "/v7/application", .replyAfter(status: 503))),
    Case("application, answer lost", Fault(.api, .post, "/v7/application", .dropAfter)),
    Case("release, answer lost", Fault(.api, .post, "/v7/release", .dropAfter)),
    Case("every release, answer lost", Fault(.api, .post, "/v7/release", times: nil, .dropAfter)),
    Case("service, answer lost", Fault(.api, .post, "/v7/service", .dropAfter)),
    Case("image, answer lost", Fault(.api, .post, "/v7/image", .dropAfter)),
    Case("release image, answer lost", Fault(.api, .post, "/v7/image__is_part_of__release", .dropAfter)),
    Case("label, answer lost", Fault(.api, .post, "/v7/image_label", times: 3, .dropAfter)),
    Case("tag, answer lost", Fault(.api, .post, "/v7/release_tag", .dropAfter)),
    Case("asset, answer lost", Fault(.api, .post, "/v7/release_asset", .dropAfter)),
    Case("team access, answer lost", Fault(.api, .post, "/v7/team_application_access", .dropAfter)),
    Case("changes, answer lost", Fault(.api, .patch, nil, times: 5, .dropAfter)),
    Case("release never arrives", Fault(.api, .post, "/v7/release", .dropBefore)),
    Case("answer cut", Fault(.api, .post, "/v7/release", .truncate(after: 10)), Fault(.api, .get, "/v7/release", nth: 3, .truncate(after: 5))),
    Case("slow", Fault(.api, .post, "/v7/release", .delay(.milliseconds(300)))),
    Case("registry: upload lost", Fault(.registry, .put, "/v2/v2", .registryError(status: 404, code: "BLOB_UPLOAD_UNKNOWN"))),
    Case("registry: 500 on the manifest", Fault(.registry, .put, "/v2/v2", nth: 3, .reply(status: 500))),
    Case("registry: connections dropped", Fault(.registry, nil, nil, nth: 4, times: 3, .dropAfter)),
  ]

  @Test(arguments: passing) func recovers(_ one: Case) async throws {
    try await PublishBench.with { bench in
      for fault in one.faults { await bench.cloud.traffic.inject(fault) }
      try await bench.publish()
      try await bench.expectPublishedOnce()
    }
  }

  @Test func goesOnWhenTheRegistryTokenExpires() async throws {
    try await PublishBench.with { bench in
      let cloud = bench.cloud
      // In the middle of the pushes: whatever request that is.
      await cloud.traffic.reset()
      for number in [60, 90, 120] { await cloud.traffic.afterRequest(number) { _ in await cloud.expireRegistryTokens() } }
      try await bench.publish()
      try await bench.expectPublishedOnce()
    }
  }

  @Test func leavesDraftsWhenTheSessionEnds() async throws {
    try await PublishBench.with { bench in
      let cloud = bench.cloud
      await cloud.traffic.reset()
      await cloud.traffic.afterRequest(150) { _ in await cloud.expireSessions() }
      let text = await complaint { try await bench.publish() }
      #expect(text != "nothing")
      #expect(!text.contains(bench.token.exposed))
      #expect(await bench.rows("release").allSatisfy { $0["is_final"] == false })
      // With a new session it goes on.
      let token = try await PublishBench.logIn(cloud, bench.http)
      _ = try await bench.publisher(token).publish(try SamplePublication().make(in: bench.blobs), .init(mode: .final))
      let releases = await bench.rows("release")
      #expect(releases.count == 4 && releases.allSatisfy { $0["is_final"] == true })
    }
  }

  @Test func refusesAnUnknownCredential() async throws {
    try await PublishBench.with { bench in
      let secret = Secret("nosuchkey1234567890")
      let text = await complaint {
        try await bench.publisher(secret).publish(try SamplePublication().make(in: bench.blobs), .init(mode: .final))
      }
      #expect(text.contains("the server does not know it"))
      #expect(!text.contains(secret.exposed))
      #expect(await bench.rows("application").isEmpty)
      // A guest sees public releases, and a failed lookup must not read as "there is none".
      let found = await complaint {
        try await bench.target(secret).existingReleases(slug: Slug("generic-amd64"), blocks: [BlockName("tools")], version: OSVersion("2.60.1")!)
      }
      #expect(found.contains("the server does not know it"))
    }
  }

  @Test(arguments: TestCloudConfiguration.AdminRefusal.allCases)
  func saysWhenAKeyHasTooFewRights(_ refusal: TestCloudConfiguration.AdminRefusal) async throws {
    var configuration = PublishBench.strict
    configuration.adminRefusal = refusal
    try await PublishBench.with(configuration) { bench in
      let key = Secret(bench.cloud.accounts.developer.apiKey)
      let text = await complaint {
        try await bench.publisher(key).publish(try SamplePublication().make(in: bench.blobs), .init(mode: .final))
      }
      #expect(text.contains("was refused") && text.contains("session token of an administrator"), "\(text)")
      #expect(!text.contains(key.exposed))
      #expect(await bench.rows("release").isEmpty)
    }
  }

  /// The token endpoint says 200 and grants nothing; the registry then says no.
  @Test func saysWhenAScopeIsDenied() async throws {
    try await PublishBench.with { bench in
      await bench.cloud.traffic.inject(
        Fault(.registry, .post, "/v2/v2", times: nil, .registryError(status: 401, code: "UNAUTHORIZED")))
      let text = await complaint { try await bench.publish() }
      #expect(text.contains("401") && text.contains("registry"), "\(text)")
      #expect(await bench.rows("release").allSatisfy { $0["is_final"] == false })
      await bench.cloud.traffic.removeFaults()
      try await bench.publish()
      try await bench.expectPublishedOnce()
    }
  }

  @Test func leavesDraftsWhenTheRegistryIsFull() async throws {
    try await PublishBench.with { bench in
      await bench.cloud.traffic.inject(
        Fault(.registry, .patch, nil, nth: 2, times: nil, .registryError(status: 500, code: "UNKNOWN")))
      await bench.cloud.traffic.inject(
        Fault(.registry, .put, nil, nth: 6, times: nil, .registryError(status: 500, code: "UNKNOWN")))
      #expect(await complaint { try await bench.publish() } != "nothing")
      #expect(await bench.rows("release").allSatisfy { $0["is_final"] == false })
      await bench.cloud.traffic.removeFaults()
      try await bench.publish()
      try await bench.expectPublishedOnce()
    }
  }

  @Test func refusesABlobThatIsNotWhatItsNameSays() async throws {
    try await PublishBench.with { bench in
      let publication = try SamplePublication().make(in: bench.blobs)
      let layer = publication.blocks[0].image.layers[1]
      let path = bench.blobs.path(layer.digest)
      chmod(path, 0o644)
      let handle = try #require(FileHandle(forWritingAtPath: path))
      try handle.seek(toOffset: 100)
      try handle.write(contentsOf: Data([1, 2, 3, 4, 5]))
      try handle.close()
      let text = await complaint { try await bench.publisher().publish(publication, .init(mode: .final)) }
      #expect(text.contains(layer.digest.description), "\(text)")
      #expect(await bench.rows("release").allSatisfy { $0["is_final"] == false })
    }
  }

  /// Somebody publishes other content of the same version while this pushes.
  @Test func leavesDraftsWhenSomebodyElseWasFaster() async throws {
    try await PublishBench.with { bench in
      var other = SamplePublication()
      other.seed = 9
      let drafts = try await bench.publish(SamplePublication(), .draft)
      try await bench.publish(other)
      let text = await complaint { try await bench.publish() }
      #expect(text.contains("with other content"))
      let ours = Set(drafts.map(\.release))
      // The hostapp is the same content, so both meet in that one.
      for row in await bench.rows("release") where ours.contains(Int64(row.id)) && Int64(row.id) != drafts[2].release {
        #expect(row["is_final"] == false)
      }
    }
  }

  /// Two coordinators with different content, all the way at once: at most one of them gets the version, the other leaves nothing visible of it.
  @Test func twoCoordinatorsWithDifferentContentDoNotShareAVersion() async throws {
    try await PublishBench.with { bench in
      var other = SamplePublication()
      other.seed = 9
      async let first = complaint { try await bench.publish() }
      async let second = complaint { try await bench.publish(other) }
      let texts = await [first, second]
      #expect(texts.contains { $0 != "nothing" })
      try await bench.expectNothingHalfIsVisible()
      for name in ["kernel", "tools"] {
        let application = try #require(try await bench.client().application(slug: "balena_os/generic-amd64-\(name)"))
        let visible = try await bench.client().rows(CloudRelease.self, where: ReleaseTable.application == application.id).filter { $0.isVisible }
        #expect(visible.filter { $0.rawVersion == "2.60.1" }.count <= 1)
        #expect(visible.allSatisfy { $0.rawVersion == "2.60.1" || $0.rawVersion.hasPrefix("0.0.0") }, "\(visible.map(\.rawVersion))")
      }
    }
  }

  /// Somebody else publishes other content of the version after each single request of the last phase. `+rev4` is known by its tag alone.
  @Test(arguments: ["2.60.1", "2.60.1+rev4"])
  func aRivalAtAnyRequestIsAConflict(_ version: String) async throws {
    var ours = SamplePublication()
    (ours.version, ours.blocks, ours.hasHostapp) = (version, ["tools"], false)
    var other = ours
    other.seed = 9
    let isDone = Mutex(false)
    var outcomes: Set<Bool> = []
    for position in 1...60 where !isDone.withLock({ $0 }) {
      try await PublishBench.with { [ours, other] bench in
        try await bench.publish(ours, .draft)
        try await bench.publish(other, .draft)
        await bench.cloud.traffic.reset()
        let said = Mutex("not asked")
        await bench.cloud.traffic.afterRequest(position) { _ in
          let text = await complaint { try await bench.publish(other) }
          said.withLock { $0 = text }
        }
        let text = await complaint { try await bench.publish(ours) }
        let rival = said.withLock { $0 }
        if rival == "not asked" {
          isDone.withLock { $0 = true }
          return
        }
        #expect([text, rival].filter { $0 == "nothing" }.count == 1, "after request \(position): \(text) | \(rival)")
        #expect([text, rival].contains { $0.contains("other content") || $0.contains("taken at the same moment") || $0.contains("invalidated") })
        let application = try #require(try await bench.client().application(slug: "balena_os/generic-amd64-tools"))
        let known = try await ReleaseLookup(client: bench.client()).all(OSVersion(version)!, in: application.id).filter(\.isVisible)
        #expect(known.count == 1, "after request \(position): \(known.map(\.rawVersion))")
        outcomes.insert(text == "nothing")
      }
    }
    #expect(isDone.withLock { $0 })
    #expect(outcomes == [true, false])
  }

  /// Everything that was written or said during a publication, searched for its secrets.
  @Test func keepsItsSecrets() async throws {
    try await PublishBench.with { bench in
      try await bench.publish()
      let said = bench.events.all.map { "\($0)" } + (await bench.journal.entries.map { "\($0)" })
      let dumped = "\(try bench.target) \(try bench.publisher()) \(String(reflecting: try bench.target)) \(said)"
      var dump = ""
      Swift.dump(try bench.publisher(), to: &dump)
      for text in [dumped, dump] { #expect(!text.contains(bench.token.exposed)) }
      // No token is in any URL.
      for entry in await bench.cloud.traffic.entries { #expect(!entry.target.contains(bench.token.exposed) && !entry.target.contains("apikey")) }
      #expect(try Tool.end(of: ["grep", "-rqF", bench.token.exposed, bench.blobs.root]).status == 1)
    }
  }
}
