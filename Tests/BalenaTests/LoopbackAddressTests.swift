import BuildModel
import Foundation
import HTTPSupport
import Registry
import TestFiles
import TestServers
import Testing

@testable import Balena
@testable import HTTP

/// Servers elsewhere that name addresses of this machine.
@Suite(.timeLimit(.minutes(1)))
struct LoopbackAddressTests {
  /// A registry and an API behind a proxy, so that they are no part of this machine.
  @Test func addressesOfThisMachineAreNotAskedForOthers() async throws {
    let server = try FaultServer { request, _ in
      if request.target.hasPrefix("http://secret.example/") {
        return Reply.send(401, [("WWW-Authenticate", "Bearer realm=\"http://localhost:2375/token\"")])
      }
      switch request.method {
      case "HEAD": return Reply.send(404)
      case "POST" where request.target.contains("beginUpload"):
        let part = "http://127.0.0.1:2375/part"
        return Reply.send(200, [], #"{"asset":{"uuid":"u","uploadParts":[{"url":"\#(part)","chunkSize":10485760,"partNumber":1}]}}"#)
      case "POST": return Reply.send(202, [("Location", "http://127.0.0.1:2375/upload")])
      default: return Reply.send(200, [], #"{"d":[{"id":1,"asset_key":"k","asset":{"href":"http://127.0.0.1:2375/file","size":1}}]}"#)
      }
    }
    defer { server.stop() }
    var settings = Waits().settings()
    settings.proxy = .address(try HTTPURL(server.origin + "/"), user: nil, password: nil, except: "")
    settings.plainHTTP = .hosts(["registry.example", "secret.example", "api.example"])
    let http = try HTTPClient(settings: settings)
    func refusal(_ body: () async throws -> Void) async -> String { text(await exchangeFailure(body)) }
    let content = noise(6 << 20)
    let registry = try RegistryClient(RegistryName("registry.example"), http: http)
    let upload = await refusal { _ = try await registry.ensure(LocalBlob(blob(content), bytes: content), in: try RepositoryName("a")) }
    #expect(upload.contains("127.0.0.1 is this machine itself"))
    let secret = try RegistryClient(RegistryName("secret.example"), http: http, credential: .bearer(Secret("token")))
    let realm = await refusal { _ = try await secret.manifestDigest(.tag(.latest), in: try RepositoryName("a")) }
    #expect(realm.contains("localhost is this machine itself"))
    let api = BalenaClient(http: http, api: try HTTPURL("http://api.example/"), token: nil)
    let asset = try #require(try await api.assets(of: RowID(1)).first)
    let href = await refusal { try await api.check(asset, expecting: blob([0])) }
    #expect(href.contains("127.0.0.1 is this machine itself"))
    try await withScratchDirectory { scratch in
      try Data(content).write(to: URL(fileURLWithPath: scratch + "/file"))
      let part = await refusal {
        try await api.putAsset(
          "k", file: scratch + "/file", size: Int64(content.count), filename: "file", contentType: "text/plain", release: RowID(1))
      }
      #expect(part.contains("127.0.0.1 is this machine itself"))
    }
    #expect(server.requests.allSatisfy { $0.target.contains(".example/") })
  }
}
