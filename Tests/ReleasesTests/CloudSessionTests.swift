import BuildModel
import CoordinatorConfiguration
import Delivery
import Foundation
import TestCloud
import Testing

@testable import Releases

/// Opening a cloud: what cannot work is refused before anything is built.
struct CloudSessionTests {
  static let secrets = ["TOKEN": "t0ken", "KEY": "access", "SECRET": "s3cr3t"]

  private func environment(_ change: (inout Cloud.ObjectStorage) -> Void = { _ in }) -> Cloud {
    var storage = Cloud.ObjectStorage(
      endpoint: "http://minio.lab:9000", bucket: "images", region: "us-east-1", accessKey: .environment("KEY"), secretKey: .environment("SECRET"))
    change(&storage)
    return Cloud(name: "lab", api: "https://api.lab", token: .environment("TOKEN"), storage: storage)
  }

  private func session(
    _ environment: Cloud, _ purpose: CloudSession.Purpose = .publishing, _ variables: [String: String] = secrets
  ) async throws -> CloudSession {
    try await CloudSession.open(environment, for: purpose, registries: [], variables: variables, notice: { _ in })
  }

  private func complaint(_ work: () async throws -> some Any) async -> String {
    do {
      _ = try await work()
      return "nothing"
    } catch { return "\(error)" }
  }

  @Test func refusesABucketWithoutTLSAtOnce() async throws {
    let said = await complaint { try await session(environment()) }
    #expect(
      said == "the storage of cloud 'lab' is at http://minio.lab:9000, and plain http is not allowed; use https, or write in farm.yaml: "
        + "environments: {lab: {storage: {plainHTTP: true}}}")
    // That the API may be spoken to so says nothing about the bucket.
    var plain = environment()
    plain.allowsPlainHTTP = true
    #expect(await complaint { try await session(plain) } == said)
    // Who only reads or finalizes has no use for the bucket, nor for its keys.
    for purpose in [CloudSession.Purpose.reading, .changing] { #expect(try await session(environment(), purpose).storage == nil) }
    #expect(try await session(environment { $0.endpoint = "http://127.0.0.1:9000" }).storage != nil)
    #expect(
      await complaint { try await session(environment { ($0.endpoint, $0.secretKey) = ("https://s3.lab", .environment("NONE")) }) }.hasPrefix(
        "env:NONE"))
  }

  @Test func theBucketHasItsOwnAuthoritiesAndHosts() async throws {
    var environment = environment { ($0.allowsPlainHTTP, $0.authorities) = (true, "/s3.pem") }
    environment.authorities = "/api.pem"
    let session = try await session(environment)
    let (bucket, api) = (try #require(session.storage).http.settings, session.target.client.http.settings)
    #expect(bucket.authorities == "/s3.pem" && api.authorities == "/api.pem")
    #expect(bucket.allowsPlain("minio.lab") && !api.allowsPlain("minio.lab"))
  }

  private static func login(_ cloud: TestCloud, _ name: String) -> Cloud {
    var environment = Cloud(name: "lab", api: cloud.url)
    environment.login = .init(username: .plain(name), password: .environment("PASSWORD"))
    return environment
  }

  @Test func logsIn() async throws {
    try await withTestCloud(hasRegistry: false) { cloud in
      let admin = cloud.accounts.admin
      let session = try await session(Self.login(cloud, admin.email), .publishing, ["PASSWORD": admin.password])
      #expect(try await session.target.account().username == admin.username)
      var named = Self.login(cloud, "")
      named.login?.username = .source(.environment("NAME"))
      #expect(try await self.session(named, .reading, ["PASSWORD": admin.password, "NAME": admin.username]).target.client.isGuest == false)
    }
  }

  @Test func saysWhyItIsNotLoggedIn() async throws {
    let password = "pass \"wörd\" of-the-lab"
    try await withTestCloud(hasRegistry: false) { cloud in
      let careful = try await cloud.engine.edit {
        try $0.addAccount("careful", isAdmin: false, in: [1], secondFactor: "123456", now: CloudDate(milliseconds: 0))
      }
      let second = await complaint { try await session(Self.login(cloud, careful.username), .publishing, ["PASSWORD": careful.password]) }
      #expect(second.hasPrefix("cloud 'lab': the login's account has a second factor") && second.contains("use a token instead"), "\(second)")
      for _ in 0..<10 {
        let wrong = await complaint { try await session(Self.login(cloud, "builder"), .publishing, ["PASSWORD": password]) }
        #expect(
          wrong.hasPrefix("cloud 'lab': \(cloud.url) does not accept the login; check its username and password (env:PASSWORD)"), "\(wrong)")
      }
      let tries = await cloud.traffic.count
      let blocked = await complaint { try await session(Self.login(cloud, "builder"), .publishing, ["PASSWORD": password]) }
      #expect(blocked == "cloud 'lab': \(cloud.url) cannot be logged in to: there were too many logins, try again after 3600")
      #expect(await cloud.traffic.count == tries + 1, "it is not asked again")
      for said in [second, blocked] { #expect(!said.contains(careful.password) && !said.contains("wörd")) }
    }
  }

  /// Whoever waits for minutes must be told why, whichever client it is; and nothing that the server repeats of a token.
  @Test func tellsOfEveryRepetition() async throws {
    try await withTestCloud { cloud in
      let notices = Notices()
      var environment = Cloud(name: "lab", api: cloud.url, token: .environment("TOKEN"))
      environment.storage = self.environment { $0.endpoint = cloud.url }.storage
      let session = try await CloudSession.open(
        environment, for: .publishing, registries: [], variables: Self.secrets, notice: notices.add)
      await cloud.traffic.inject(Fault(.api, .get, "/actor/v1/whoami", .reply(status: 503, body: "not for t0ken")))
      _ = try await session.target.client.whoAmI()
      #expect(notices.all == ["GET \(cloud.url)/actor/v1/whoami was answered 503: not for <redacted>; try 2 of 7 in 1 s"])
      await cloud.traffic.inject(Fault(.api, .get, "/images", .reply(status: 503, body: "not for s3cr3t")))
      _ = try await session.storage?.get(try #require(RelativePath("a")))
      #expect(notices.all.last == "GET \(cloud.url)/images/a was answered 503: not for <redacted>; try 2 of 7 in 1 s")
      await cloud.traffic.inject(Fault(.registry, .get, "/v2/", .reply(status: 503)))
      let registry = try RegistryName(cloud.registry)
      let clients = RegistryClients(variables: [:], notice: notices.add)
      _ = try? await clients.client(for: registry).manifest(.tag(ImageTag("latest")), in: RepositoryName("a/b"))
      #expect(notices.all.count == 3 && notices.all[2].contains("was answered 503"), "\(notices.all)")
    }
  }
}

/// The notices. Locked, because notices come from anywhere.
private final class Notices: @unchecked Sendable {
  private let lock = NSLock()
  private var texts: [String] = []
  var all: [String] { lock.withLock { texts } }
  func add(_ text: String) { lock.withLock { texts.append(text) } }
}
