import BlobStore
import BuildModel
import Foundation
import HTTPSupport
import TestFiles
import TestPeers
import TestServers
import Testing

@testable import HTTP
@testable import Registry

/// A real docker-registry with token authentication and a token service of our own.
@Suite(.timeLimit(.minutes(2)))
struct RegistryTokenTests {
  private static let key = "a-very-secret-key"

  /// What the key may do: everything below `mine/`; everybody may pull from `open/`.
  private static let grant: TokenService.Grant = { repository, authorization in
    let isKnown = authorization == "Bearer \(key)" || authorization == "Basic " + Data("me:\(key)".utf8).base64EncodedString()
    if repository.hasPrefix("mine/"), isKnown { return ["pull", "push"] }
    return repository.hasPrefix("open/") ? isKnown && repository == "open/made" ? ["pull", "push"] : ["pull"] : []
  }

  @Test(arguments: [RegistryCredential.bearer(Secret(key)), .basic(user: "me", password: Secret(key))])
  func oneScopeParameterEach(credential: RegistryCredential) async throws {
    try await withScratchDirectory { scratch in
      let service = try TokenService(in: scratch, grant: Self.grant)
      defer { service.server.stop() }
      try await withDockerRegistry(in: scratch, authentication: service.authentication) { registry in
        let http = try HTTPClient(settings: Waits().settings())
        let client = try RegistryClient(registry.name, http: http, credential: credential)
        let test = try TestImage(in: scratch, layers: [2 << 20, 1000])
        #expect(try await client.push(test.image, to: try RepositoryName("mine/a"), as: .tag(.latest)).uploaded.count == 3)
        #expect(try await client.push(test.image, to: try RepositoryName("mine/b"), as: .tag(.latest)).mounted.count == 3)
        // A mount names both repositories, each in a parameter of its own.
        #expect(
          service.asked.map(\.scopes) == [
            ["repository:mine/a:pull"], ["repository:mine/a:pull,push"], ["repository:mine/b:pull"],
            ["repository:mine/a:pull", "repository:mine/b:pull,push"],
          ])
        #expect(service.server.violations == [])
      }
    }
  }

  @Test func deniedAndUnknownAreToldWithTheRegistrysWords() async throws {
    try await withScratchDirectory { scratch in
      let service = try TokenService(in: scratch, grant: Self.grant)
      defer { service.server.stop() }
      try await withDockerRegistry(in: scratch, authentication: service.authentication) { registry in
        let http = try HTTPClient(settings: Waits().settings())
        let test = try TestImage(in: scratch, layers: [1000])
        let known = try RegistryClient(registry.name, http: http, credential: .bearer(Secret(Self.key)))
        let denied = await exchangeFailure { _ = try await known.push(test.image, to: try RepositoryName("other/a"), as: .tag(.latest)) }
        #expect(denied?.status == 401)
        #expect(text(denied).contains("repository other/a, manifest latest") && text(denied).hasSuffix("the credentials in use do not allow this"))
        let bad = try RegistryClient(registry.name, http: http, credential: .bearer(Secret("refused")))
        let refused = await exchangeFailure { _ = try await bad.push(test.image, to: try RepositoryName("mine/a"), as: .tag(.latest)) }
        #expect(refused?.status == 401)
        #expect(text(refused).contains("/auth/v1/token was answered 401") && !text(refused).contains("scope="))
        // Anonymous may read what is open.
        _ = try await known.push(test.image, to: try RepositoryName("open/made"), as: .tag(.latest))
        let guest = try RegistryClient(registry.name, http: http)
        let store = try BlobStore(root: scratch + "/store")
        _ = try await guest.pull(.tag(.latest), in: try RepositoryName("open/made"), platform: nil, into: store, limit: 1 << 20)
        let none = await exchangeFailure { _ = try await guest.push(test.image, to: try RepositoryName("open/x"), as: .tag(.latest)) }
        #expect(text(none).contains("UNAUTHORIZED"))
      }
    }
  }

  @Test func mountThatIsNotGrantedBecomesAnUpload() async throws {
    try await withScratchDirectory { scratch in
      let service = try TokenService(in: scratch, grant: Self.grant)
      defer { service.server.stop() }
      try await withDockerRegistry(in: scratch, authentication: service.authentication) { registry in
        let client = try RegistryClient(registry.name, http: HTTPClient(settings: Waits().settings()), credential: .bearer(Secret(Self.key)))
        let test = try TestImage(in: scratch, layers: [2 << 20])
        let report = try await client.push(
          test.image, to: try RepositoryName("mine/a"), as: .tag(.latest), sources: [try RepositoryName("other/secret")])
        #expect(report.uploaded.count == 2 && report.mounted.isEmpty)
      }
    }
  }

  /// The relay says what a registry says when a token has run out, in the middle of the upload.
  @Test func tokenThatRunsOutInTheMiddleIsRenewed() async throws {
    try await withScratchDirectory { scratch in
      let service = try TokenService(in: scratch, grant: Self.grant)
      defer { service.server.stop() }
      try await withDockerRegistry(in: scratch, authentication: service.authentication) { registry in
        let challenge =
          "Bearer realm=\"\(service.server.origin)/auth/v1/token\",service=\"test-registry\",scope=\"repository:mine/a:push,pull\",error=\"invalid_token\""
        let expired = Reply.bytes(
          401, [("WWW-Authenticate", challenge), ("Connection", "close")], body: Array("{\"errors\":[{\"code\":\"UNAUTHORIZED\"}]}".utf8))
        let relay = try RelayServer(upstream: registry.port) { request, number in
          ["PATCH", "PUT"].contains(request.method) && number == 1 ? .answer(expired) : .pass
        }
        defer { relay.stop() }
        var settings = RegistryClient.Settings()
        settings.blobsAtOnce = 1
        let client = try RegistryClient(
          RegistryName("127.0.0.1:\(relay.port)"), http: HTTPClient(settings: Waits().settings()), credential: .bearer(Secret(Self.key)),
          settings: settings)
        let test = try TestImage(in: scratch, layers: [3 << 20])
        #expect(try await client.push(test.image, to: try RepositoryName("mine/a"), as: .tag(.latest)).uploaded.count == 2)
        #expect(service.asked.count == 4)
      }
    }
  }

  /// What a token service says about a token's life is used for a sum; a token of no life is asked for again.
  @Test(arguments: ["9223372036854775807", "-9223372036854775808", "0"]) func absurdLivesOfTokens(life: String) async throws {
    let server = try FaultServer { request, _ in
      if request.target.hasPrefix("/token") { return Reply.send(200, [], "{\"token\":\"t\",\"expires_in\":\(life)}") }
      guard request.field("Authorization") == "Bearer t" else {
        return Reply.send(401, [("WWW-Authenticate", "Bearer realm=\"/token\"")])
      }
      return Reply.send(200, [("Docker-Content-Digest", "\(blob([]).digest)")])
    }
    defer { server.stop() }
    let client = try RegistryClient(RegistryName("127.0.0.1:\(server.port)"), http: HTTPClient(settings: Waits().settings()))
    #expect(try await client.manifestDigest(.tag(.latest), in: try RepositoryName("a")) == blob([]).digest)
  }

  @Test(
    arguments: [
      (#"{"exp":1e300,"iat":1}"#, nil), (#"{"exp":1e300,"iat":-1e300}"#, nil), (#"{"exp":1e400,"iat":1}"#, nil), (#"{"exp":1e300,"nbf":1e300}"#, nil),
      (#"{"exp":1,"iat":2}"#, nil), (#"{"exp":"NaN","iat":0}"#, nil), (#"{"exp":1800000300.5,"iat":1800000000}"#, 300),
    ] as [(String, Int64?)]) func livesInTokens(claims: String, life: Int64?)
  {
    #expect(RegistryTokens.life(ofToken: "a.\(Data(claims.utf8).base64EncodedString()).c") == life)
  }

  private static let api = "https://api.balena-cloud.com"

  /// A registry may name any address for its tokens. The key goes to those that were chosen for it; whoever else is named gets a question without it.
  @Test func othersAreAskedForAnonymousTokens() async throws {
    try await withScratchDirectory { scratch in
      let service = try TokenService(in: scratch, grant: Self.grant)
      defer { service.server.stop() }
      try await withDockerRegistry(in: scratch, authentication: service.authentication) { registry in
        var settings = RegistryClient.Settings()
        settings.tokenServices = TokenServices(includesRegistry: false, origins: [try HTTPURL(Self.api).origin])
        let http = try HTTPClient(settings: Waits().settings())
        let client = try RegistryClient(registry.name, http: http, credential: .bearer(Secret(Self.key)), settings: settings)
        let error = await exchangeFailure { _ = try await client.manifestDigest(.tag(.latest), in: try RepositoryName("mine/a")) }
        #expect(
          text(error).hasSuffix(
            "; the credential was not sent to \(service.server.origin), which the registry names for tokens: only the registry's own host may see it. "
              + "If that service is the right one, name it: tokenService in farm.yaml, --token-service with block push"), "\(text(error))")
        #expect(service.asked.count == 1 && service.asked.allSatisfy { $0.authorization == nil })
        // What everybody may read is read all the same.
        let owner = try RegistryClient(registry.name, http: http, credential: .bearer(Secret(Self.key)))
        let test = try TestImage(in: scratch, layers: [1000])
        let pushed = try await owner.push(test.image, to: try RepositoryName("open/made"), as: .tag(.latest))
        #expect(try await client.manifestDigest(.tag(.latest), in: try RepositoryName("open/made")) == pushed.digest)
        #expect(service.asked.last.map { $0.authorization == nil && $0.scopes == ["repository:open/made:pull"] } == true)
        // Its own service, named in the configuration.
        settings.tokenServices.origins.insert(try HTTPURL(service.server.origin).origin)
        let allowed = try RegistryClient(registry.name, http: http, credential: .bearer(Secret(Self.key)), settings: settings)
        #expect(try await allowed.push(test.image, to: try RepositoryName("mine/a"), as: .tag(.latest)).uploaded.count == 2)
      }
    }
  }

  @Test(
    arguments: [
      ("https://registry.example", "https://registry.example/token", true), ("https://registry.example", "https://registry.example:8443/", true),
      ("https://registry.example:5000", "https://registry.example", true), ("https://registry.example", "http://registry.example", false),
      ("http://registry.example:5000", "http://registry.example:5001", true), ("https://registry.example", "https://evil.example", false),
      ("https://registry.example", "https://registry.example.evil.example", false),
      ("https://registry.example", "https://auth.registry.example", false),
      ("https://registry.example", "https://auth.configured.example/jwt", true),
      ("https://registry.example", "http://auth.configured.example", false),
      ("https://registry.example", "https://auth.configured.example:444", false),
    ]) func tokenServicesThatSeeTheCredential(registry: String, service: String, isOne: Bool) throws
  {
    let services = TokenServices(origins: [try HTTPURL("https://auth.configured.example").origin])
    #expect(services.include(try HTTPURL(service).origin, of: try HTTPURL(registry).origin) == isOne)
    // balenaCloud's registries are named by its API: their own hosts prove nothing.
    let api = TokenServices(includesRegistry: false, origins: [try HTTPURL(Self.api).origin])
    #expect(!api.include(try HTTPURL(service).origin, of: try HTTPURL(registry).origin))
  }
}
