import BlobStore
import BoundedConcurrency
import BuildModel
import EventLoop
import Foundation
import HTTPSupport
import Synchronization
import TestFiles
import TestPeers
import TestServers
import Testing

@testable import HTTP

/// Says which failure it was, or that it was another one.
func kind(_ error: (any ExchangeFailure)?) -> TransportFailure.Kind? {
  if case .transport(let failure)? = error?.exchange { failure.kind } else { nil }
}

@Suite(.timeLimit(.minutes(1)))
struct HTTPClientTests {
  func client(_ waits: Waits = Waits(), _ change: (inout HTTPSettings) -> Void = { _ in }) throws -> HTTPClient {
    var settings = waits.settings()
    change(&settings)
    return try HTTPClient(settings: settings)
  }

  @Test(arguments: [HTTPRequest.Method.get, .put, .patch, .delete]) func serverTroubleIsRepeatedWithGrowingPatience(method: HTTPRequest.Method)
    async throws
  {
    let server = try FaultServer { _, number in number < 7 ? Reply.send(503) : Reply.send(200, [], "good") }
    defer { server.stop() }
    let waits = Waits()
    let response = try await client(waits).send(HTTPRequest(method, try HTTPURL(server.origin + "/a")))
    #expect(response.body == Array("good".utf8))
    #expect(waits.all == [1, 2, 4, 8, 16, 32].map { .seconds($0) })
    #expect(server.violations == [])
  }

  @Test func seventhFailureIsTheLast() async throws {
    let server = try FaultServer { _, _ in Reply.send(500, [], "\"disk is full\"") }
    defer { server.stop() }
    let error = await exchangeFailure { _ = try await client().send(HTTPRequest(.get, try HTTPURL(server.origin + "/a?key=hidden"))) }
    #expect(server.requests.count == 7)
    #expect(error?.description == "GET \(server.origin)/a was answered 500: disk is full")
  }

  @Test(arguments: [("90", 90), ("Wed, 15 Jan 2027 08:02:00 GMT", 120), ("0", 1), ("soon", 1)])
  func retryAfterIsAFloor(value: String, seconds: Int) async throws {
    let server = try FaultServer { _, number in number == 1 ? Reply.send(429, [("Retry-After", value)], "\"Too Many Requests\"") : Reply.send(200) }
    defer { server.stop() }
    let waits = Waits()
    _ = try await client(waits).send(HTTPRequest(.post, try HTTPURL(server.origin + "/a"), body: .bytes([1])))
    #expect(waits.all == [.seconds(seconds)])
  }

  @Test func tooLongARetryAfterIsNotWaitedFor() async throws {
    let server = try FaultServer { _, _ in Reply.send(429, [("Retry-After", "86400")]) }
    defer { server.stop() }
    let error = await exchangeFailure { _ = try await client().send(HTTPRequest(.get, try HTTPURL(server.origin + "/a"))) }
    #expect(error?.description.hasSuffix("it is asked too often, try again after 86400") == true)
    #expect(server.requests.count == 1)
  }

  /// libcurl itself would send a request again on a kept connection that turns out dead; a POST must not be.
  @Test(arguments: [0, 10], [true, false]) func postIsNeverSentTwice(bodySize: Int, reset: Bool) async throws {
    let server = try FaultServer { request, _ in request.method == "POST" ? [reset ? .reset : .close] : Reply.send(200) }
    defer { server.stop() }
    let client = try client()
    let url = try HTTPURL(server.origin + "/a")
    _ = try await client.send(HTTPRequest(.get, url))
    let error = await exchangeFailure { _ = try await client.send(HTTPRequest(.post, url, body: .bytes([UInt8](repeating: 7, count: bodySize)))) }
    #expect(kind(error) == .dropped)
    #expect(server.requests.filter { $0.method == "POST" }.count == 1)
    // The same goes for a server that says it could not.
    let other = try FaultServer { _, _ in Reply.send(502) }
    defer { other.stop() }
    let refused = await exchangeFailure { _ = try await client.send(HTTPRequest(.post, try HTTPURL(other.origin + "/a"))) }
    #expect(refused?.status == 502)
    #expect(other.requests.count == 1)
  }

  @Test func putIsSentAgainAfterADrop() async throws {
    let content = noise(700_000)
    let server = try FaultServer { _, number in number < 3 ? [.reset] : Reply.send(201) }
    defer { server.stop() }
    try await withScratchDirectory { scratch in
      try Data([1, 2, 3] + content + [4]).write(to: URL(fileURLWithPath: scratch + "/file"))
      let body = HTTPRequest.Body.file(path: scratch + "/file", offset: 3, length: Int64(content.count))
      let response = try await client().send(HTTPRequest(.put, try HTTPURL(server.origin + "/a"), body: body))
      #expect(response.status == 201)
    }
    #expect(server.requests.map(\.bodyHash).allSatisfy { Digest(bytes: $0) == blob(content).digest })
    #expect(server.requests.count >= 3)
    #expect(server.violations == [])
  }

  @Test func cutBodyIsAFailure() async throws {
    let server = try FaultServer { _, _ in [.send(Reply.bytes(200, body: Array("half".utf8), length: 8)), .close] }
    defer { server.stop() }
    let error = await exchangeFailure { _ = try await client { $0.retry.attempts = 2 }.send(HTTPRequest(.get, try HTTPURL(server.origin + "/a"))) }
    #expect(kind(error) == .dropped)
    #expect(server.requests.count == 2)
  }

  @Test func compressedBodyIsInflatedInMemoryAndKeptInASink() async throws {
    let text = [UInt8](repeating: UInt8(ascii: "a"), count: 3 << 20)
    try await withScratchDirectory { scratch in
      try Data(text).write(to: URL(fileURLWithPath: scratch + "/plain"))
      let packed = try Tool.bytes(["gzip", "-9c", scratch + "/plain"])
      let server = try FaultServer { _, _ in [.send(Reply.bytes(200, [("Content-Encoding", "gzip")], body: packed))] }
      defer { server.stop() }
      let request = HTTPRequest(.get, try HTTPURL(server.origin + "/a"))
      #expect(try await client().send(request).body == text)
      let sink = MemorySink()
      try await client().download(request, into: sink, limit: 1 << 20)
      #expect(sink.bytes == packed)
      #expect(server.requests.map { $0.field("Accept-Encoding")?.contains("gzip") ?? false } == [true, false])
      // What a few bytes become is bounded too.
      let error = await exchangeFailure { _ = try await client().send(request, bodyLimit: 2 << 20) }
      #expect(kind(error) == .tooLarge)
    }
  }

  @Test func largeHeadsAndBodiesAreRefused() async throws {
    let server = try FaultServer { request, _ in
      request.target == "/head"
        ? Reply.send(200, (0..<2000).map { ("X-\($0)", String(repeating: "x", count: 60)) }) : [.send(Reply.bytes(200, body: noise(100_000)))]
    }
    defer { server.stop() }
    let head = await exchangeFailure { _ = try await client().send(HTTPRequest(.get, try HTTPURL(server.origin + "/head"))) }
    #expect(kind(head) == .tooLarge)
    let body = await exchangeFailure { _ = try await client().send(HTTPRequest(.get, try HTTPURL(server.origin + "/body")), bodyLimit: 99_999) }
    #expect(kind(body) == .tooLarge)
    #expect(server.requests.count == 2)
  }

  @Test func slowAnswersTimeOut() async throws {
    let server = try FaultServer { request, _ in
      [.send(Array((request.target == "/stall" ? "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx" : "").utf8)), .untilPeerCloses]
    }
    defer { server.stop() }
    let client = try client { $0.retry.attempts = 1 }
    let total = HTTPTimeouts(total: .milliseconds(200))
    let late = await exchangeFailure { _ = try await client.send(HTTPRequest(.get, try HTTPURL(server.origin + "/late"), timeouts: total)) }
    #expect(kind(late) == .timeout)
    let stall = HTTPTimeouts(stall: .seconds(1))
    let stuck = await exchangeFailure { _ = try await client.send(HTTPRequest(.get, try HTTPURL(server.origin + "/stall"), timeouts: stall)) }
    #expect(kind(stuck) == .timeout)
  }

  /// What never ends, slow or fast, ends by a limit: bytes that drip by the rate, bytes that pour by the size.
  @Test(arguments: [
    ("HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n", "x", 20 as UInt32, TransportFailure.Kind.timeout),
    ("HTTP/1.1 200 OK\r\nX: ", "x", 20, .timeout),
    ("", "HTTP/1.1 103 Early Hints\r\n\r\n", 250, .timeout), ("", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", 0, .tooLarge),
    ("HTTP/1.1 200 OK\r\n", "Link: x\r\n", 0, .tooLarge), ("HTTP/1.1 200 OK\r\n\r\n", String(repeating: "x", count: 9999), 0, .tooLarge),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n", 0, .tooLarge),
  ])
  func answersWithoutEndAreEnded(start: String, rest: String, pause: UInt32, expected: TransportFailure.Kind) async throws {
    let server = try FaultServer { _, _ in [.send(Array(start.utf8)), .endless(Array(rest.utf8), pause: pause)] }
    defer { server.stop() }
    let client = try client {
      $0.retry.attempts = 1
      $0.bodyLimit = 64 << 10
    }
    let timeouts = HTTPTimeouts(stall: .seconds(1))
    let error = await exchangeFailure { _ = try await client.send(HTTPRequest(.get, try HTTPURL(server.origin + "/"), timeouts: timeouts)) }
    #expect(kind(error) == expected, "\(text(error))")
  }

  @Test func aWholeExchangeHasALimitThatGrowsWithItsBytes() {
    let timeouts = HTTPTimeouts(stall: .seconds(60))
    #expect(timeouts.limit(forBytes: 0) == .seconds(300))
    #expect(timeouts.limit(forBytes: 1 << 30) == .seconds(300 + 65536))
    #expect(timeouts.limit(forBytes: nil) == nil)
    #expect(HTTPTimeouts(total: .seconds(1)).limit(forBytes: 1 << 30) == .seconds(1))
  }

  @Test func nobodyThereIsToldApartAndRepeatedForPostsToo() async throws {
    let port = try freePort()
    let waits = Waits()
    let error = await exchangeFailure { _ = try await client(waits).send(HTTPRequest(.post, try HTTPURL("http://127.0.0.1:\(port)/a"))) }
    #expect(kind(error) == .connect)
    #expect(waits.all.count == 6)
  }

  @Test(arguments: [true, false]) func cancellingEndsTheExchangeAtOnce(uploading: Bool) async throws {
    let arrived = DispatchSemaphore(value: 0)
    let server = try FaultServer { _, _ in [.note { arrived.signal() }, .send(Reply.bytes(200, length: 10)), .untilPeerCloses] }
    defer { server.stop() }
    let client = try client()
    let url = try HTTPURL(server.origin + "/a")
    let task = Task {
      if uploading {
        _ = try await client.send(HTTPRequest(.put, url, body: .bytes([1])))
      } else {
        try await client.download(HTTPRequest(.get, url), into: MemorySink(), limit: 10)
      }
    }
    try await BlockingWork.run { arrived.wait() }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    // The client ended the connection, it did not merely stop listening.
    #expect(try await BlockingWork.run { server.peerClosed.wait(timeout: .now() + 10) } == .success)
  }

  @Test func cancelledBeforeItBeganIsNeverSent() async throws {
    let server = try FaultServer { _, _ in Reply.send(200) }
    defer { server.stop() }
    let client = try client()
    let url = try HTTPURL(server.origin + "/a")
    let gate = DispatchSemaphore(value: 0)
    let task = Task {
      try? await BlockingWork.run { gate.wait() }
      _ = try await client.send(HTTPRequest(.get, url))
    }
    task.cancel()
    gate.signal()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(server.requests.isEmpty)
  }

  @Test func manyAtOnceShareFewConnections() async throws {
    let server = try FaultServer { request, _ in Reply.send(200, [], request.target) }
    defer { server.stop() }
    let client = try client { $0.connectionsPerHost = 4 }
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for number in 0..<200 {
        let url = try HTTPURL(server.origin + "/\(number)")
        group.addTask { try await client.send(HTTPRequest(.get, url)).body == Array("/\(number)".utf8) }
      }
      for try await isRight in group { #expect(isRight) }
    }
    #expect(server.connections <= 4)
  }

  /// With its thread and the connections that it has kept.
  @Test func clientEndsWithItsLastReference() async throws {
    final class Marker: Sendable {
      let gone: DispatchSemaphore
      init(_ gone: DispatchSemaphore) { self.gone = gone }
      deinit { gone.signal() }
    }
    let server = try FaultServer { _, _ in Reply.send(200) }
    defer { server.stop() }
    let gone = DispatchSemaphore(value: 0)
    func useOnce() async throws {
      let client = try client()
      // The loop holds the marker as long as it is there itself.
      client.multi.loop.perform { [weak loop = client.multi.loop, marker = Marker(gone)] in
        loop?.set(LoopTimer(), at: .now + .seconds(1000)) { withExtendedLifetime(marker) {} }
      }
      _ = try await client.send(HTTPRequest(.get, try HTTPURL(server.origin + "/a")))
    }
    try await useOnce()
    #expect(try await BlockingWork.run { gone.wait(timeout: .now() + 10) } == .success)
  }

  /// Whoever waits for a connection is not connecting yet: its limits begin with its own exchange.
  @Test func waitingForAConnectionTakesAsLongAsItTakes() async throws {
    let (arrived, held) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    let server = try FaultServer { request, _ in
      let answer = Reply.send(200, [], request.target)
      return request.target == "/held" ? [.note { arrived.signal() }, .gate(held)] + answer : answer
    }
    defer { server.stop() }
    let client = try client {
      $0.connectionsPerHost = 2
      $0.timeouts.connect = .milliseconds(200)
      $0.timeouts.stall = .seconds(10)
    }
    let (holding, waiting) = (try HTTPURL(server.origin + "/held"), try HTTPURL(server.origin + "/waiting"))
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<2 { group.addTask { _ = try await client.send(HTTPRequest(.get, holding)) } }
      for _ in 0..<2 { _ = try await BlockingWork.run { arrived.wait(timeout: .now() + 10) } }
      for _ in 0..<4 {
        group.addTask {
          let response = try await client.send(HTTPRequest(.post, waiting, body: .bytes([1])))
          #expect(response.body == Array("/waiting".utf8))
        }
      }
      // Time itself is what this is about: more of it than connecting may take.
      try await Task.sleep(for: .milliseconds(1500))
      #expect(server.requests.count == 2)
      for _ in 0..<2 { held.signal() }
      try await group.waitForAll()
    }
    #expect(server.connections <= 2)
  }

  @Test func explicitProxyIsUsedForAllButTheExceptions() async throws {
    let proxy = try FaultServer { request, _ in Reply.send(200, [], request.target) }
    let server = try FaultServer { _, _ in Reply.send(200, [], "direct") }
    defer {
      proxy.stop()
      server.stop()
    }
    let address = try HTTPURL(proxy.origin + "/")
    let client = try client {
      $0.proxy = .address(address, user: "me", password: Secret("proxy-password"), except: "127.0.0.1")
      $0.plainHTTP = .hosts(["registry.invalid"])
    }
    #expect(try await client.send(HTTPRequest(.get, try HTTPURL("http://registry.invalid/v2/"))).body == Array("http://registry.invalid/v2/".utf8))
    #expect(proxy.requests.first?.field("Proxy-Authorization") == "Basic " + Data("me:proxy-password".utf8).base64EncodedString())
    #expect(try await client.send(HTTPRequest(.get, try HTTPURL(server.origin + "/"))).body == Array("direct".utf8))
    #expect(proxy.requests.count == 1)
  }

  @Test func ownAuthorityAndHTTP2() async throws {
    try await withScratchDirectory { scratch in
      let tls = try TestAuthority(in: scratch)
      let content = noise(5 << 20)
      try FileManager.default.createDirectory(atPath: scratch + "/www", withIntermediateDirectories: true)
      try Data(content).write(to: URL(fileURLWithPath: scratch + "/www/file"))
      let port = try freePort()
      try await withChild(
        ["nghttpd", "-v", "-d", scratch + "/www", "-a", "127.0.0.1", "\(port)", tls.key, tls.certificate], environment: Tool.environment
      ) { server in
        try server.waitFor("listen 127.0.0.1", on: .output, seconds: 30)
        let request = HTTPRequest(.get, try HTTPURL("https://localhost:\(port)/file"))
        let trusting = try client { $0.authorities = tls.authority }
        for _ in 0..<3 {
          let sink = MemorySink()
          try await trusting.download(request, into: sink, limit: 8 << 20)
          #expect(sink.bytes == content)
        }
        // nghttpd speaks nothing but HTTP/2.
        let waits = Waits()
        let error = await exchangeFailure { _ = try await client(waits).send(request) }
        #expect(kind(error) == .tls)
        #expect(error?.description.hasSuffix("; a private certificate authority must be configured") == true)
        #expect(waits.all.isEmpty)
      }
    }
  }
}
