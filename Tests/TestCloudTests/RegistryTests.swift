import Foundation
import HTTPTypes
import NIOCore
import TestFiles
import TestPeers
import Testing

@testable import TestCloud

@Suite(.serialized) struct RegistryTests {
  /// The port of a `host:port`.
  private func port(_ address: String) throws -> Int { try #require(address.split(separator: ":").last.flatMap { Int($0) }) }

  private func call(
    _ cloud: TestCloud, _ method: HTTPRequest.Method, _ target: String, _ token: String?, headers: HTTPFields = [:], body: String = ""
  ) async throws -> CloudReply {
    var headers = headers
    if let token { headers[.authorization] = "Bearer \(token)" }
    return try await LoopbackClient.send(port: try port(cloud.registry), method, target, headers: headers, body: ByteBuffer(string: body))
  }

  private func token(_ caller: Caller, _ scopes: [String], headers: HTTPFields = [:]) async throws -> (status: Int, token: String?, access: JSONValue)
  {
    let query = scopes.map { "&scope=" + ($0.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "") }.joined()
    let answer = try await caller.send(.get, "/auth/v1/token?service=\(caller.cloud.registry)\(query)", headers: headers)
    let token = answer.json["token"].string
    return (answer.status, token, token.flatMap { JSONWebToken.claims($0) }?["access"] ?? .null)
  }

  private func repository(_ location: String) -> String { String(location[(location.firstIndex(of: "/") ?? location.startIndex)...].dropFirst()) }

  private func access(_ repository: String, _ actions: JSONValue) -> JSONValue {
    [["type": "repository", "name": .string(repository), "actions": actions]]
  }

  @Test func scopes() async throws {
    try await withTestCloud { cloud in
      let admin = try await Caller.admin(cloud)
      let application = try await admin.application()
      let release = try await admin.release(application)
      let one = repository(try await admin.image(application, release, service: "one").location)
      let two = repository(try await admin.image(application, release, service: "two").location)
      #expect(one.hasPrefix("v2/"))
      let developer = Caller.developer(cloud)
      #expect(try await token(developer, ["repository:\(one):push,pull,delete"]).access == access(one, ["push", "pull"]))
      let both = try await token(developer, ["repository:\(one):pull", "repository:\(two):pull,push"])
      #expect(both.access.array?.count == 2)
      // Several scopes in one parameter are ignored, silently.
      #expect(try await token(developer, ["repository:\(one):pull repository:\(two):pull"]).access == [])
      let basic = Data("anybody:\(cloud.accounts.developer.apiKey)".utf8).base64EncodedString()
      let byBasic = try await token(Caller(cloud: cloud), ["repository:\(one):pull"], headers: [.authorization: "Basic \(basic)"])
      #expect(byBasic.access == access(one, ["pull"]))
      let session = Data("anybody:\(admin.credential ?? "")".utf8).base64EncodedString()
      #expect(try await token(Caller(cloud: cloud), [], headers: [.authorization: "Basic \(session)"]).status == 401)
      #expect(try await token(admin, ["repository:\(one):pull"]).access == access(one, ["pull"]))
      #expect(try await token(Caller(cloud: cloud, credential: "unknownkey"), ["repository:\(one):pull"]).status == 401)
      // Denied actions are left out of a good reply.
      for caller in [Caller(cloud: cloud), Caller.outsider(cloud)] {
        let denied = try await token(caller, ["repository:\(one):pull,push"])
        #expect(denied.status == 200 && denied.access == access(one, []))
      }
      _ = try await admin.patch("application(\(application))", ["is_public": true])
      #expect(try await token(Caller(cloud: cloud), ["repository:\(one):pull,push"]).access == access(one, ["pull"]))
      // What was not there when it was first asked for stays unknown for a while.
      let future = "v2/" + String(repeating: "0", count: 32)
      #expect(try await token(admin, ["repository:\(future):pull"]).access == access(future, []))
      await cloud.engine.edit { state in
        guard var row = state.database.rows("image").last else { return }
        row.values["is_stored_at__image_location"] = .string(cloud.registry + "/" + future)
        try? state.database.update("image", row)
      }
      #expect(try await token(admin, ["repository:\(future):pull"]).access == access(future, []))
    }
  }

  @Test func theRegistryIsReal() async throws {
    try await withTestCloud { cloud in
      let developer = Caller.developer(cloud)
      let application = try await developer.application()
      let release = try await developer.release(application)
      let place = repository(try await developer.image(application, release).location)
      let challenge = try await call(cloud, .get, "/v2/\(place)/manifests/latest", nil)
      #expect(challenge.status == 401)
      let header = challenge.headers[.wwwAuthenticate] ?? ""
      #expect(header.contains("realm=\"\(cloud.url)/auth/v1/token\"") && header.contains("service=\"\(cloud.registry)\""), "\(header)")
      #expect(header.contains("scope=\"repository:\(place):pull\""), "\(header)")
      let pull = try #require(try await token(developer, ["repository:\(place):pull"]).token)
      #expect(try await call(cloud, .post, "/v2/\(place)/blobs/uploads/", pull).status == 401)
      let push = try #require(try await token(developer, ["repository:\(place):pull,push"]).token)
      let begun = try await call(cloud, .post, "/v2/\(place)/blobs/uploads/", push)
      #expect(begun.status == 202)
      let location = try #require(begun.headers[.location])
      #expect(location.hasPrefix("http://\(cloud.registry)/v2/\(place)/blobs/uploads/") && location.contains("_state="), "\(location)")
      let path = String(location.dropFirst("http://\(cloud.registry)".count))
      let content = "layer"
      let hash = "sha256:f7f413db1f9fd1ca0a5dac0d9ca7f9ba34f7a0a3f0de9d6d6cfc34c8f2a5e9c5"
      // Wrong on purpose: the registry itself finds out.
      let wrong = try await call(
        cloud, .put, path + "&digest=" + hash, push, headers: [.contentType: "application/octet-stream"], body: content)
      #expect(wrong.status == 400 && String(buffer: wrong.body).contains("DIGEST_INVALID"))
      await cloud.expireRegistryTokens()
      let expired = try await call(cloud, .post, "/v2/\(place)/blobs/uploads/", push)
      #expect(expired.status == 401 && expired.headers[.wwwAuthenticate]?.contains("error=\"invalid_token\"") ?? false)
      let fresh = try #require(try await token(developer, ["repository:\(place):pull,push"]).token)
      await cloud.traffic.inject(Fault(.registry, .post, nil, .registryError(status: 404, code: "BLOB_UPLOAD_UNKNOWN")))
      let injected = try await call(cloud, .post, "/v2/\(place)/blobs/uploads/", fresh)
      #expect(injected.status == 404 && String(buffer: injected.body).contains("BLOB_UPLOAD_UNKNOWN"))
      #expect(try await call(cloud, .post, "/v2/\(place)/blobs/uploads/", fresh).status == 202)
      await cloud.traffic.inject(Fault(.registry, .post, nil, .dropAfter))
      await #expect(throws: (any Error).self) { try await call(cloud, .post, "/v2/\(place)/blobs/uploads/", fresh) }
    }
  }

  private func run(_ words: [String]) async throws { try await blocking { _ = try Tool.run(words) } }

  /// skopeo, which follows the challenge by itself, pushes and pulls; strict mode then believes the release.
  @Test func skopeoPushesAndPulls() async throws {
    var configuration = TestCloudConfiguration()
    configuration.isStrict = true
    try await withTestCloud(configuration) { cloud in
      try await withScratchDirectory { scratch in
        try FileManager.default.createDirectory(atPath: scratch + "/tree", withIntermediateDirectories: true)
        try "content".write(toFile: scratch + "/tree/file", atomically: true, encoding: .utf8)
        let random = Data((0..<(3 << 20)).map { _ in UInt8.random(in: .min ... .max) })
        try random.write(to: URL(fileURLWithPath: scratch + "/tree/random"))
        try await run(["umoci", "init", "--layout", scratch + "/oci"])
        try await run(["umoci", "new", "--image", scratch + "/oci:x"])
        try await run(["umoci", "insert", "--image", scratch + "/oci:x", scratch + "/tree", "/"])
        let caller = Caller.developer(cloud)
        let application = try await caller.application()
        let release = try await caller.release(application)
        let image = try await caller.image(application, release)
        let credentials = "any:\(cloud.accounts.developer.apiKey)"
        let reference = "docker://\(image.location):latest"
        let skopeo = ["skopeo", "--insecure-policy"]
        try await run(
          skopeo + [
            "copy", "--format", "v2s2", "--dest-tls-verify=false", "--dest-creds", credentials, "--digestfile", scratch + "/digest",
            "oci:" + scratch + "/oci:x", reference,
          ])
        let digest = try String(contentsOfFile: scratch + "/digest", encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
        let success: JSONValue = ["status": "success", "content_hash": .string(digest), "push_timestamp": "2026-01-02T03:04:06Z"]
        #expect(try await caller.patch("image(\(image.id))", success).status == 200)
        #expect(try await caller.patch("release(\(release))", ["status": "success"]).status == 200)
        try await run(
          skopeo + [
            "copy", "--src-tls-verify=false", "--src-creds", credentials, "docker://\(image.location)@\(digest)", "dir:" + scratch + "/pulled",
          ])
        #expect(FileManager.default.fileExists(atPath: scratch + "/pulled/manifest.json"))
        // Others are not let in.
        await #expect(throws: PeerError.self) {
          try await run(
            skopeo + ["inspect", "--tls-verify=false", "--creds", "any:\(cloud.accounts.outsider.apiKey)", reference])
        }
        let entries = await cloud.traffic.entries.filter { $0.server == .registry }
        #expect(entries.contains { $0.method == .put && $0.target.contains("/manifests/latest") && $0.status == 201 })
      }
    }
  }
}
