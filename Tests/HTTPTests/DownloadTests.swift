import BlobStore
import BuildModel
import Foundation
import HTTPSupport
import Synchronization
import TestFiles
import TestServers
import Testing

@testable import HTTP

@Suite(.timeLimit(.minutes(1)))
struct DownloadTests {
  @Test func blobArrivesWithItsDigest() async throws {
    let content = noise(3 << 20)
    let server = try FaultServer { _, _ in [.send(Reply.bytes(200, body: content))] }
    defer { server.stop() }
    try await withScratchDirectory { scratch in
      let client = try HTTPClient(settings: Waits().settings())
      let request = HTTPRequest(.get, try HTTPURL(server.origin + "/feed/Packages.gz"))
      let store = try BlobStore(root: scratch + "/store")
      try await client.download(request, into: store, expecting: blob(content))
      try store.verify(blob(content).digest)
      // A second request uses the same connection.
      let sink = MemorySink()
      try await client.download(request, into: sink, limit: 4 << 20)
      #expect(sink.bytes == content)
      #expect(server.connections == 1)
    }
    #expect(server.violations == [])
  }

  @Test func otherContentIsRefusedAndLeavesNothing() async throws {
    let content = noise(100_000)
    let server = try FaultServer { _, _ in [.send(Reply.bytes(200, body: content))] }
    defer { server.stop() }
    try await withScratchDirectory { scratch in
      let client = try HTTPClient(settings: Waits().settings())
      let request = HTTPRequest(.get, try HTTPURL(server.origin + "/a.ipk"))
      let other = BlobDescriptor(digest: blob([1]).digest, size: 100_000)
      let store = try BlobStore(root: scratch + "/store")
      let short = BlobDescriptor(digest: blob(content).digest, size: 99_999)
      let large = await exchangeFailure { try await client.download(request, into: store, expecting: short) }
      guard case .transport(let failure)? = large?.exchange, failure.kind == .tooLarge else {
        throw Missing(what: "a limit: \(String(describing: large))")
      }
      let refused = await exchangeFailure { try await client.download(request, into: store, expecting: other) }
      guard case .mismatch? = refused?.exchange else { throw Missing(what: "a mismatch: \(String(describing: refused))") }
      #expect(try FileManager.default.contentsOfDirectory(atPath: scratch) == ["store"])
      #expect(try FileManager.default.contentsOfDirectory(atPath: scratch + "/store/ingest") == [])
    }
    // Neither is a matter of trying again.
    #expect(server.requests.count == 2)
  }

  @Test func cutBodyIsContinuedWithTheSameETag() async throws {
    let content = noise(2 << 20)
    let server = try FaultServer { request, number in
      if number == 1 {
        return [.send(Reply.bytes(200, [("ETag", "\"one\"")], body: Array(content.prefix(1_000_000)), length: content.count)), .close]
      }
      guard let range = request.field("Range"), request.field("If-Range") == "\"one\"",
        let start = Int(range.dropFirst(6).dropLast())
      else { return [.send(Reply.bytes(400))] }
      let fields = [("ETag", "\"one\""), ("Content-Range", "bytes \(start)-\(content.count - 1)/\(content.count)")]
      return [.send(Reply.bytes(206, fields, body: Array(content[start...])))]
    }
    defer { server.stop() }
    let waits = Waits()
    let sink = MemorySink()
    let client = try HTTPClient(settings: waits.settings())
    try await client.download(HTTPRequest(.get, try HTTPURL(server.origin + "/a")), into: sink, limit: 4 << 20)
    #expect(sink.bytes == content)
    #expect(sink.begins == [0, 1_000_000])
    #expect(waits.all == [.seconds(1)])
  }

  @Test(arguments: [nil, "W/\"weak\""]) func cutBodyBeginsAnewWithoutProofOfSameness(tag: String?) async throws {
    let content = noise(300_000)
    let server = try FaultServer { request, number in
      #expect(request.field("Range") == nil)
      let fields = tag.map { [("ETag", $0)] } ?? []
      if number < 3 { return [.send(Reply.bytes(200, fields, body: Array(content.prefix(200_000)), length: content.count)), .close] }
      return [.send(Reply.bytes(200, fields, body: content))]
    }
    defer { server.stop() }
    let client = try HTTPClient(settings: Waits().settings())
    let sink = MemorySink()
    try await client.download(HTTPRequest(.get, try HTTPURL(server.origin + "/a")), into: sink, limit: 1 << 20)
    #expect(sink.bytes == content)
    #expect(server.requests.count == 3)
  }

  @Test func partFromElsewhereIsRefused() async throws {
    let server = try FaultServer { _, number in
      number == 1
        ? [.send(Reply.bytes(200, [("ETag", "\"one\"")], body: noise(1000), length: 2000)), .close]
        : [.send(Reply.bytes(206, [("ETag", "\"one\""), ("Content-Range", "bytes 0-1999/2000")], body: noise(2000)))]
    }
    defer { server.stop() }
    let client = try HTTPClient(settings: Waits().settings())
    let error = await exchangeFailure {
      try await client.download(HTTPRequest(.get, try HTTPURL(server.origin + "/a")), into: MemorySink(), limit: 4 << 20)
    }
    guard case .decoding? = error?.exchange else { throw Missing(what: "a refusal: \(String(describing: error))") }
  }

  @Test func emptyBodyIsABodyToo() async throws {
    let server = try FaultServer { _, _ in Reply.send(200) }
    defer { server.stop() }
    let client = try HTTPClient(settings: Waits().settings())
    try await withScratchDirectory { scratch in
      let store = try BlobStore(root: scratch + "/store")
      try await client.download(HTTPRequest(.get, try HTTPURL(server.origin + "/a")), into: store, expecting: blob([]))
      try store.verify(blob([]).digest)
    }
  }

  /// A sink that is slow makes the server wait: what was sent but not taken is bounded.
  @Test func slowSinkHoldsTheServerBack() async throws {
    final class Slow: BodySink, @unchecked Sendable {
      let mayGoOn = DispatchSemaphore(value: 0)
      var count = 0
      func begin(at offset: Int64) throws {}
      func receive(_ bytes: UnsafeRawBufferPointer) throws {
        if count == 0 { mayGoOn.wait() }
        count += bytes.count
      }
    }
    let total = 256 << 20
    let sink = Slow()
    let sent = Mutex(0)
    let server = try FaultServer { _, _ in
      [
        .send(Reply.bytes(200, length: total)),
        .fill(upTo: total) { count in
          sent.withLock { $0 = count }
          sink.mayGoOn.signal()
        },
      ]
    }
    defer { server.stop() }
    let client = try HTTPClient(settings: Waits().settings())
    try await client.download(HTTPRequest(.get, try HTTPURL(server.origin + "/a")), into: sink, limit: 1 << 30)
    #expect(sink.count == total)
    // What the buffers of the sockets hold, and little more.
    #expect(sent.withLock { $0 } < 32 << 20)
  }
}
