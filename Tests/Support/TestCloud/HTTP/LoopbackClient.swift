import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import NIOPosix

/// Plain HTTP/1.1 to a port of this machine: one connection an exchange, nothing followed, nothing repeated, nothing decoded.
package enum LoopbackClient {
  typealias Inbound = NIOAsyncChannelInboundStream<HTTPResponsePart>

  /// The server closed the connection before its reply was whole.
  package struct Incomplete: Error, Hashable {
    /// What came of the body; nil when not even the head came.
    package var received: ByteBuffer?
  }

  /// Sends a head and the pieces of its body, then hands over the reply's head and the rest of the stream.
  static func exchange<Body: AsyncSequence & Sendable, Value: Sendable>(
    port: Int, _ head: HTTPRequest, body: Body, _ receive: @Sendable (HTTPResponse, inout Inbound.AsyncIterator) async throws -> Value
  ) async throws -> Value where Body.Element == ByteBuffer {
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).connect(host: "127.0.0.1", port: port) { channel in
      channel.eventLoop.makeCompletedFuture {
        try channel.pipeline.syncOperations.addHTTPClientHandlers()
        try channel.pipeline.syncOperations.addHandler(HTTP1ToHTTPClientCodec())
        return try NIOAsyncChannel<HTTPResponsePart, HTTPRequestPart>(wrappingChannelSynchronously: channel)
      }
    }
    return try await channel.executeThenClose { inbound, outbound in
      try await withThrowingTaskGroup(of: Void.self) { group in
        defer { group.cancelAll() }
        // A server may answer before it has the whole body, and close: what it said counts, not what could not be sent.
        group.addTask { await send(head, body, outbound, channel.channel) }
        var parts = inbound.makeAsyncIterator()
        while let part = try await parts.next() {
          guard case .head(let response) = part else { break }
          // 100 and the other interim statuses only announce the reply.
          if response.status.kind == .informational { continue }
          return try await receive(response, &parts)
        }
        throw Incomplete(received: nil)
      }
    }
  }

  private static func send<Body: AsyncSequence & Sendable>(
    _ head: HTTPRequest, _ body: Body, _ outbound: NIOAsyncChannelOutboundWriter<HTTPRequestPart>, _ channel: any Channel
  ) async where Body.Element == ByteBuffer {
    var pieces = body.makeAsyncIterator()
    guard (try? await outbound.write(.head(head))) != nil else { return }
    while true {
      let piece: ByteBuffer?
      do {
        piece = try await pieces.next()
      } catch {
        // Whoever gives the body has vanished: the server must not wait for the rest.
        try? await channel.close()
        return
      }
      guard let piece else { break }
      guard (try? await outbound.write(.body(piece))) != nil else { return }
    }
    try? await outbound.write(.end(nil))
  }

  /// A whole exchange with bounded bodies.
  package static func send(
    port: Int, _ method: HTTPRequest.Method, _ target: String, headers: HTTPFields = [:], body: ByteBuffer = ByteBuffer(), limit: Int = 64 << 20
  ) async throws -> CloudReply {
    var head = HTTPRequest(method: method, scheme: "http", authority: "127.0.0.1:\(port)", path: target, headerFields: headers)
    if body.readableBytes > 0 || method == .post || method == .put || method == .patch {
      head.headerFields[.contentLength] = String(body.readableBytes)
    }
    let pieces = AsyncStream<ByteBuffer> { stream in
      if body.readableBytes > 0 { stream.yield(body) }
      stream.finish()
    }
    return try await exchange(port: port, head, body: pieces) { response, parts in
      var received = ByteBuffer()
      do {
        while let part = try await parts.next() {
          switch part {
          case .body(let piece):
            received.writeImmutableBuffer(piece)
            guard received.readableBytes <= limit else { throw NIOTooManyBytesError(maxBytes: limit) }
          case .end: return CloudReply(status: response.status.code, headers: response.headerFields, body: received)
          case .head: break
          }
        }
      } catch is HTTPParserError {
        // The decoder says so of a body that ends early.
      }
      throw Incomplete(received: received)
    }
  }
}
