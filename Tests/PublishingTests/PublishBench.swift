import Balena
import BlobStore
import BuildModel
import Foundation
import HTTP
import Publishing
import PublishingSupport
import Registry
import TestFiles
import Testing

@testable import TestCloud

/// A test cloud with everything that a publication needs on this side.
struct PublishBench {
  let cloud: TestCloud
  let http: HTTPClient
  let token: Secret
  let blobs: BlobStore
  let journal = MemoryJournal()
  let events = EventLog()

  /// Runs `body` with a strict cloud, as its administrator. Waiting between tries takes no time.
  static func with<Value>(
    _ configuration: TestCloudConfiguration = strict, _ body: (PublishBench) async throws -> Value
  ) async throws -> Value {
    try await withScratchDirectory { directory in
      return try await withTestCloud(configuration) { cloud in
        var settings = HTTPSettings()
        settings.time.sleep = { _ in await Task.yield() }
        settings.timeouts.stall = .seconds(20)
        let http = try HTTPClient(settings: settings)
        let token = try await logIn(cloud, http)
        return try await body(PublishBench(cloud: cloud, http: http, token: token, blobs: try BlobStore(root: directory)))
      }
    }
  }

  static var strict: TestCloudConfiguration {
    var configuration = TestCloudConfiguration()
    configuration.isStrict = true
    return configuration
  }

  static func logIn(_ cloud: TestCloud, _ http: HTTPClient) async throws -> Secret {
    try #require(
      try await BalenaLogin.sessionToken(
        http: http, api: HTTPURL(cloud.url), username: cloud.accounts.admin.email, password: Secret(cloud.accounts.admin.password)))
  }

  var target: PublishTarget { get throws { try target(token) } }

  func target(_ token: Secret) throws -> PublishTarget {
    PublishTarget(
      client: BalenaClient(http: http, api: try HTTPURL(cloud.url), token: token), organization: "balena_os",
      team: .init(name: "OS Devs", role: "developer"))
  }

  func registry() throws -> RegistryAccess { RegistryAccess(http: http, api: try HTTPURL(cloud.url), token: token) }

  func publisher(_ token: Secret? = nil) throws -> Publisher {
    let token = token ?? self.token
    return Publisher(
      target: try target(token), registry: RegistryAccess(http: http, api: try HTTPURL(cloud.url), token: token), blobs: blobs,
      journal: journal
    ) { [events] in events.add($0) }
  }

  @discardableResult
  func publish(_ sample: SamplePublication = SamplePublication(), _ mode: PublishMode = .final, allowConflict: Bool = false) async throws
    -> [Publisher.Published]
  {
    try await publisher().publish(try sample.make(in: blobs), .init(mode: mode, allowConflict: allowConflict))
  }

  func client() throws -> BalenaClient { try target.client }

  /// All rows of a table, past every rule.
  func rows(_ table: String) async -> [CloudRow] { await cloud.engine.edit { Array($0.database.rows(table)) } }

  /// Everything that must be true when the sample is published once and whole. The strict cloud has checked images, composition and assets.
  func expectPublishedOnce(_ sample: SamplePublication = SamplePublication(), isFinal: Bool = true) async throws {
    let applications = ["generic-amd64", "generic-amd64-hostos"] + sample.blocks.map { "generic-amd64-\($0)" }
    let client = try client()
    let found = await rows("application").compactMap { $0["slug"].string }.sorted()
    #expect(found == applications.map { "balena_os/" + $0 }.sorted())
    for name in applications {
      let application = try #require(try await client.application(slug: "balena_os/" + name))
      #expect(application.isPublic && application.applicationClass == "app")
      #expect(application.isHost == (name == "generic-amd64"))
      let releases = try await client.rows(CloudRelease.self, where: ReleaseTable.application == application.id)
      #expect(releases.count == 1, "\(name) has \(releases.count) releases")
      guard let release = releases.first else { continue }
      #expect(release.status == .success && release.isFinal == isFinal, "\(name): \(release.status), final \(release.isFinal)")
      if isFinal { #expect(release.rawVersion == sample.version && release.tags == ["version": sample.version]) }
      #expect(release.images.allSatisfy { $0.status == .success && $0.contentHash != nil })
      #expect(Set(release.images.map(\.service)).count == release.images.count)
      let assets = try await client.assets(of: release.id)
      #expect(assets.allSatisfy { $0.file?.size ?? 0 > 0 })
      #expect(assets.count == (name == "generic-amd64" ? 5 : 0))
    }
    let accesses = await rows("team_application_access")
    #expect(accesses.count == applications.count)
  }

  /// No release that devices may be given is anything but whole.
  func expectNothingHalfIsVisible() async throws {
    for release in try await client().rows(CloudRelease.self, where: ReleaseTable.isFinal == true) {
      #expect(release.status == .success && !release.images.isEmpty && release.images.allSatisfy { $0.contentHash != nil })
      #expect(Set(release.images.map(\.service)) == Set((release.composition["services"]?.object ?? [:]).keys))
    }
  }
}

/// A journal that forgets with its test.
actor MemoryJournal: PublishJournal {
  private(set) var entries: [PublishEntry] = []
  private var places: [String: [Digest: String]] = [:]
  func note(_ entry: PublishEntry) { entries.append(entry) }
  func repositories(of registry: String, holding blobs: [Digest]) -> [Digest: String] { (places[registry] ?? [:]).filter { blobs.contains($0.key) } }
  func notePushed(_ blobs: [Digest], registry: String, repository: String) { for blob in blobs { places[registry, default: [:]][blob] = repository } }
}

/// What was reported. Locked, because reports come from anywhere.
final class EventLog: @unchecked Sendable {
  private let lock = NSLock()
  private var events: [PublishEvent] = []
  func add(_ event: PublishEvent) { lock.withLock { events.append(event) } }
  var all: [PublishEvent] { lock.withLock { events } }
}
