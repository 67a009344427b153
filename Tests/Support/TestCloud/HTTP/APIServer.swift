import HTTPTypes
import HummingbirdCore
import NIOCore

/// The API between the wire and the engine: bodies within their limits, compression, faults.
struct APIServer: Sendable {
  let engine: CloudEngine
  let traffic: Traffic
  let gzipFrom: Int

  /// The server's limit of a JSON body.
  static let largestJSON = 512 << 10
  /// A whole file with the multipart around it; a part of an upload.
  static let largestFile = StoredAsset.largest + (1 << 20)

  func respond(_ request: Request, _ writer: consuming ResponseWriter, _ channel: any Channel) async throws {
    let (number, effect) = await traffic.begin(.api, request.head)
    do {
      if request.headers[.expect]?.lowercased() == "100-continue" { try await writer.writeInformationalHead(HTTPResponse(status: .continue)) }
      if let instead = try await FaultyReply.before(effect, request.head, channel) {
        await traffic.end(number, status: instead.status)
        return try await FaultyReply.send(instead, nil, to: request.method, writer, channel)
      }
      let reply = await answer(request, channel)
      await traffic.end(number, status: reply.status)
      try await FaultyReply.send(compressed(reply, for: request), effect, to: request.method, writer, channel)
    } catch is FaultyReply.Dropped {
      if effect == .dropBefore { await traffic.end(number, status: 0) }
      throw FaultyReply.Dropped()
    }
  }

  private func answer(_ request: Request, _ channel: any Channel) async -> CloudReply {
    let isFile = request.headers[.contentType]?.hasPrefix("multipart/") ?? false || (request.head.path ?? "").hasPrefix("/storage/")
    do {
      var body = try await request.body.collect(upTo: isFile ? Self.largestFile : Self.largestJSON)
      if request.headers[.contentEncoding] == "gzip" {
        guard let plain = Gzip.inflated(body, limit: Self.largestJSON) else { return CloudReply(.invalid("The body is no gzip data.")) }
        body = plain
      }
      return await engine.answer(
        CloudRequest(
          method: request.method, target: request.head.path ?? "/", headers: request.headers, body: body,
          address: channel.remoteAddress?.ipAddress ?? ""))
    } catch is NIOTooManyBytesError {
      return CloudReply(isFile ? .invalid("The file has more than \(StoredAsset.largest) bytes.") : .tooLarge)
    } catch {
      return CloudReply(.invalid("The body ends early."))
    }
  }

  private func compressed(_ reply: CloudReply, for request: Request) -> CloudReply {
    guard reply.body.readableBytes >= gzipFrom, reply.headers[.contentType]?.hasPrefix("application/json") ?? false,
      request.headers[.acceptEncoding]?.contains("gzip") ?? false, let body = Gzip.deflated(reply.body)
    else { return reply }
    var reply = reply
    reply.body = body
    reply.headers[.contentEncoding] = "gzip"
    reply.headers[.vary] = "Accept-Encoding"
    return reply
  }
}
