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

/// A relay in front of a real docker-registry does what networks and servers do.
@Suite(.timeLimit(.minutes(2)))
struct RegistryFaultTests {
  private let size = 6 << 20
  /// What two times the layer does not reach, and one time with config and manifest does.
  private var onceAndLittle: Range<Int> { size..<size + 20_000 }

  /// Pushes one image through a relay and checks with skopeo what the registry has; returns the relay for a look at what happened.
  private func push(waits: Waits = Waits(), layers: [Int]? = nil, chunk: Int64? = nil, _ plan: @escaping RelayServer.Plan) async throws -> RelayServer
  {
    try await withScratchDirectory { scratch in
      try await withDockerRegistry(in: scratch) { registry in
        let relay = try RelayServer(upstream: registry.port, plan)
        defer { relay.stop() }
        var settings = RegistryClient.Settings()
        settings.blobsAtOnce = 1
        settings.chunkSize = chunk
        let client = try RegistryClient(RegistryName("127.0.0.1:\(relay.port)"), http: HTTPClient(settings: waits.settings()), settings: settings)
        let test = try TestImage(in: scratch, layers: layers ?? [size])
        let report = try await client.push(test.image, to: try RepositoryName("a/b"), as: .tag(.latest))
        #expect(report.uploaded.count == test.image.blobs.count)
        try Tool.run("skopeo", "copy", "-q", "--src-tls-verify=false", "docker://127.0.0.1:\(registry.port)/a/b", "dir:\(scratch)/copy")
        return relay
      }
    }
  }

  @Test func chunkThatFailedIsSentAgainAndNoOther() async throws {
    let relay = try await push(chunk: 1_000_000) { request, number in
      request.method == "PATCH" && [3, 5].contains(number) ? .answer(Reply.bytes(503, [("Connection", "close")])) : .pass
    }
    #expect(onceAndLittle.contains(relay.uploadedBytes))
    #expect(relay.count("PATCH") == 9)
  }

  /// docker-registry 2.8 cancels an upload when it has a part of a request, so that the blob begins anew.
  @Test(arguments: [nil, 1_000_000]) func cutUploadEndsWellToo(chunk: Int64?) async throws {
    let relay = try await push(chunk: chunk) { request, number in request.method == "PATCH" && number == 1 ? .cutBody(after: 700_000) : .pass }
    #expect(relay.uploadedBytes < size + 720_000)
  }

  /// A server of our own keeps parts of requests, as the specification wants it, and is exact about offsets.
  @Test func uploadGoesOnFromWhateverTheRegistryHas() async throws {
    let content = noise(3_000_000)
    let server = try FaultServer { request, number in
      func open(_ status: Int, has count: Int) -> [FaultServer.Step] {
        Reply.send(status, [("Location", "/upload?_state=\(number)"), ("Range", "0-\(count - 1)")])
      }
      switch (request.method, number) {
      case ("HEAD", _): return Reply.send(404)
      case ("POST", _): return Reply.send(202, [("Location", "/upload?_state=\(number)")])
      // Takes less than it was given.
      case ("PATCH", 3): return open(202, has: 1_000_000)
      case ("PATCH", 4): return Reply.send(416, [("Location", "/upload?_state=4"), ("Range", "0-0")])
      case ("GET", 5): return open(204, has: 2_000_000)
      case ("PATCH", 6):
        let isRight = request.target.hasSuffix("_state=5") && request.field("Content-Range") == "2000000-2999999"
        return isRight && Digest(bytes: request.bodyHash) == blob(Array(content[2_000_000...])).digest ? open(202, has: 3_000_000) : Reply.send(400)
      case ("PUT", 7): return request.target == "/upload?_state=6&digest=sha256%3A\(blob(content).digest.hex)" ? Reply.send(201) : Reply.send(400)
      default: return Reply.send(400)
      }
    }
    defer { server.stop() }
    let client = try RegistryClient(RegistryName("127.0.0.1:\(server.port)"), http: HTTPClient(settings: Waits().settings()))
    #expect(try await client.ensure(LocalBlob(blob(content), bytes: content), in: try RepositoryName("a")) == .uploaded)
    #expect(server.requests.map(\.method) == ["HEAD", "POST", "PATCH", "PATCH", "GET", "PATCH", "PUT"])
    #expect(server.violations == [])
  }

  /// A full disk: the first upload breaks off, and no further one is begun. Each blob is tried as often as any request, not the square of it.
  @Test func registryWithoutRoomIsGivenUp() async throws {
    let content = noise(2_000_000)
    let server = try FaultServer { request, number in
      switch request.method {
      case "HEAD": Reply.send(404)
      case "POST" where number < 3: Reply.send(202, [("Location", "/upload")])
      case "GET": Reply.send(404)
      default: Reply.send(500, [("Content-Type", "application/json")], #"{"errors":[{"code":"UNKNOWN","message":"no space left on device"}]}"#)
      }
    }
    defer { server.stop() }
    let waits = Waits()
    let client = try RegistryClient(RegistryName("127.0.0.1:\(server.port)"), http: HTTPClient(settings: waits.settings()))
    let error = await exchangeFailure { _ = try await client.ensure(LocalBlob(blob(content), bytes: content), in: try RepositoryName("a")) }
    #expect(error.map { "\($0)" }?.contains("no space left on device") == true, "\(error.map { "\($0)" } ?? "nothing")")
    #expect(server.requests.filter { $0.method == "POST" }.count == 7)
    #expect(waits.all == [1, 2, 4, 8, 16, 32].map { .seconds($0) })
  }

  /// The whole blob is taken each time and never committed: what was reached before is no progress.
  @Test(arguments: [500, 404]) func commitThatNeverSucceedsIsGivenUp(status: Int) async throws {
    let content = noise(2_000_000)
    let server = try FaultServer { request, number in
      switch request.method {
      case _ where number > 100: Reply.send(400)
      case "HEAD", "GET": Reply.send(404)
      case "PUT": Reply.send(status)
      default: Reply.send(202, [("Location", "/upload"), ("Range", request.method == "POST" ? "0-0" : "0-\(content.count - 1)")])
      }
    }
    defer { server.stop() }
    let waits = Waits()
    let client = try RegistryClient(RegistryName("127.0.0.1:\(server.port)"), http: HTTPClient(settings: waits.settings()))
    let error = await exchangeFailure { _ = try await client.ensure(LocalBlob(blob(content), bytes: content), in: try RepositoryName("a")) }
    #expect(error?.status == status)
    for method in ["POST", "PATCH", "PUT"] { #expect(server.requests.filter { $0.method == method }.count == 7) }
    #expect(waits.all == (status == 500 ? [1, 2, 4, 8, 16, 32].map { .seconds($0) } : []))
  }

  /// The second chunk is disputed each time, and then there is nothing of the first one.
  @Test func registryThatForgetsWhatItTookIsGivenUp() async throws {
    let content = noise(3_000_000)
    let server = try FaultServer { request, number in
      switch request.method {
      case _ where number > 100: Reply.send(400)
      case "HEAD": Reply.send(404)
      case "GET": Reply.send(204, [("Location", "/upload"), ("Range", "0-0")])
      case "PATCH" where request.field("Content-Range")?.hasPrefix("0-") != true: Reply.send(416, [("Location", "/upload"), ("Range", "0-0")])
      default: Reply.send(202, [("Location", "/upload"), ("Range", request.method == "POST" ? "0-0" : "0-999999")])
      }
    }
    defer { server.stop() }
    var settings = RegistryClient.Settings()
    settings.chunkSize = 1_000_000
    let client = try RegistryClient(
      RegistryName("127.0.0.1:\(server.port)"), http: HTTPClient(settings: Waits().settings()), settings: settings)
    let error = await exchangeFailure { _ = try await client.ensure(LocalBlob(blob(content), bytes: content), in: try RepositoryName("a")) }
    #expect(error?.status == 416)
    #expect(server.requests.map(\.method) == ["HEAD", "POST"] + Array(repeating: ["PATCH", "PATCH", "GET"], count: 7).joined().dropLast())
  }

  @Test func registryThatKeepsNothingIsNotAskedForever() async throws {
    let server = try FaultServer { request, number in
      switch request.method {
      case "HEAD": Reply.send(404)
      default: Reply.send(202, [("Location", "/upload"), ("Range", "0-0")])
      }
    }
    defer { server.stop() }
    let client = try RegistryClient(RegistryName("127.0.0.1:\(server.port)"), http: HTTPClient(settings: Waits().settings()))
    let content = noise(2_000_000)
    let error = await exchangeFailure { _ = try await client.ensure(LocalBlob(blob(content), bytes: content), in: try RepositoryName("a")) }
    #expect(text(error).contains("2000000 bytes were accepted and none was kept"))
  }

  @Test(arguments: [404, 416]) func uploadThatTheRegistryLostOrDisputes(status: Int) async throws {
    let code = status == 404 ? "BLOB_UPLOAD_UNKNOWN" : "RANGE_INVALID"
    let refusal = Reply.bytes(status, [("Connection", "close")], body: Array("{\"errors\":[{\"code\":\"\(code)\",\"message\":\"x\"}]}".utf8))
    let waits = Waits()
    let relay = try await push(waits: waits) { request, number in request.method == "PATCH" && number == 1 ? .answer(refusal) : .pass }
    // A lost one begins anew, a disputed one is asked how far it is.
    #expect(relay.count("POST") == (status == 404 ? 3 : 2))
    #expect(relay.count("GET") == (status == 404 ? 0 : 1))
    #expect(waits.all.isEmpty)
  }

  @Test func lostAnswerToACommitIsFoundOut() async throws {
    let relay = try await push { request, number in request.method == "PUT" && number == 1 ? .loseAnswer : .pass }
    #expect(onceAndLittle.contains(relay.uploadedBytes))
    #expect(relay.count("PATCH") == 1)
  }

  @Test func lostAnswerToASmallBlobIsFoundOut() async throws {
    let relay = try await push(layers: [1000]) { request, number in request.method == "PUT" && number == 1 ? .loseAnswer : .pass }
    #expect(relay.uploadedBytes < 4000)
  }

  @Test func troubleOfEveryKindOnTheWay() async throws {
    let waits = Waits()
    let busy = Reply.bytes(429, [("Retry-After", "5"), ("Connection", "close")])
    let broken = Reply.bytes(503, [("Connection", "close")])
    let relay = try await push(waits: waits, layers: [size, 1000]) { request, number in
      switch (request.method, number) {
      case ("HEAD", 2), ("POST", 1), ("PATCH", 2), ("PUT", 3): .answer(broken)
      case ("POST", 2), ("PUT", 1), ("PATCH", 4): .answer(busy)
      case ("PATCH", 1): .cutBody(after: 100)
      case ("PATCH", 3): .cutBody(after: 2 << 20)
      case ("POST", 5): .loseAnswer
      default: .pass
      }
    }
    #expect(relay.count("PATCH") >= 4)
    #expect(waits.all.contains(.seconds(5)))
  }

  @Test func registryThatStaysBrokenIsGivenUp() async throws {
    let waits = Waits()
    let error = await exchangeFailure {
      _ = try await push(waits: waits) { request, _ in
        request.method == "PATCH" ? .answer(Reply.bytes(500, [("Connection", "close")], body: Array("no space left".utf8))) : .pass
      }
    }
    #expect(error?.status == 500)
    #expect(text(error).contains("repository a/b, blob sha256:") && text(error).contains("no space left"))
    #expect(waits.all == [1, 2, 4, 8, 16, 32].map { .seconds($0) })
  }

  @Test func otherDigestInTheAnswerIsAnError() async throws {
    let other = "Docker-Content-Digest: sha256:\(String(repeating: "0", count: 64))"
    let error = await exchangeFailure {
      _ = try await push { request, _ in request.target.contains("/manifests/") && request.method == "PUT" ? .replaceDigest(other) : .pass }
    }
    #expect(text(error).contains("manifest latest: the digest of the stored manifest is sha256:000"))
  }

  @Test func tamperedBlobIsNotTaken() async throws {
    try await withScratchDirectory { scratch in
      try await withDockerRegistry(in: scratch) { registry in
        let test = try TestImage(in: scratch, layers: [300_000])
        let plain = try RegistryClient(registry.name, http: HTTPClient(settings: Waits().settings()))
        _ = try await plain.push(test.image, to: try RepositoryName("a"), as: .tag(.latest))
        let (layer, size) = (test.layers[0].digest, test.layers[0].size)
        let relay = try RelayServer(upstream: registry.port) { request, number in
          request.target.contains(layer.hex)
            ? number == 3 ? .cutAnswer(after: 1000) : .answer(Reply.bytes(200, [("Connection", "close")], body: noise(Int(size), seed: 9))) : .pass
        }
        defer { relay.stop() }
        let client = try RegistryClient(RegistryName("127.0.0.1:\(relay.port)"), http: HTTPClient(settings: Waits().settings()))
        let store = try BlobStore(root: scratch + "/store")
        let error = await exchangeFailure {
          _ = try await client.pull(.tag(.latest), in: try RepositoryName("a"), platform: nil, into: store, limit: 1 << 20)
        }
        #expect(text(error).contains("repository a, blob \(layer): ") && text(error).contains("expected \(layer) (\(test.layers[0].size) bytes)"))
        #expect(!store.has(layer) && !store.has(test.image.manifest.blob.digest))
        #expect(try FileManager.default.contentsOfDirectory(atPath: store.root + "/ingest").isEmpty)
        // A manifest is held to its digest as well.
        let wrong = try RelayServer(upstream: registry.port) { request, _ in
          request.method == "GET" ? .answer(Reply.bytes(200, [("Connection", "close")], body: test.image.manifest.bytes + [10])) : .pass
        }
        defer { wrong.stop() }
        let liar = try RegistryClient(RegistryName("127.0.0.1:\(wrong.port)"), http: HTTPClient(settings: Waits().settings()))
        let refused = await exchangeFailure { _ = try await liar.manifest(.digest(test.image.manifest.blob.digest), in: try RepositoryName("a")) }
        #expect(text(refused).contains("the manifest's digest is sha256:"))
      }
    }
  }
}
