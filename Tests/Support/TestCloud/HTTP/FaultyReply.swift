import HTTPTypes
import HummingbirdCore
import NIOCore

/// Sends replies, and breaks them where a fault says so.
enum FaultyReply {
  /// The connection was closed on purpose: there is nobody left to answer.
  struct Dropped: Error {}

  /// A closed connection, a pause, or a reply of the fault's own, before anything is done.
  static func before(
    _ effect: Fault.Effect?, _ head: HTTPRequest, _ channel: any Channel
  ) async throws -> CloudReply? {
    switch effect {
    case .reply(let status, let headers, let body): return CloudReply(status: status, headers: headers, body: ByteBuffer(string: body))
    case .redirectToHTTPS:
      return CloudReply(status: 301, headers: [.location: "https://\(head.authority ?? "")\(head.path ?? "/")"])
    case .dropBefore: try await drop(channel)
    case .delay(let duration): try await Task.sleep(for: duration)
    default: break
    }
    return nil
  }

  /// Whether the reply goes out unharmed.
  static func send(
    _ reply: CloudReply, _ effect: Fault.Effect?, to method: HTTPRequest.Method, _ writer: consuming ResponseWriter, _ channel: any Channel
  ) async throws {
    var reply = reply
    switch effect {
    case .dropAfter: try await drop(channel)
    case .replyAfter(let status): reply = CloudReply(status: status)
    default: break
    }
    var head = HTTPResponse(status: .init(code: reply.status), headerFields: reply.headers)
    if reply.status != 204 { head.headerFields[.contentLength] = String(reply.body.readableBytes) }
    var body = try await writer.writeHead(head)
    if case .truncate(let count) = effect {
      try await body.write(reply.body.getSlice(at: reply.body.readerIndex, length: min(count, reply.body.readableBytes)) ?? ByteBuffer())
      try await drop(channel)
    }
    if method != .head, reply.body.readableBytes > 0 { try await body.write(reply.body) }
    try await body.finish(nil)
  }

  static func drop(_ channel: any Channel) async throws -> Never {
    try? await channel.close()
    throw Dropped()
  }
}
