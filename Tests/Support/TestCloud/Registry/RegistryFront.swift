import FoundationEssentials
import HTTPTypes
import HummingbirdCore
import NIOCore
import NIOHTTPTypes
import TestPeers

/// Stands before the real registry and passes everything through, so that its requests are counted and can fail on demand.
struct RegistryFront: Sendable {
  let traffic: Traffic
  let backend: RegistryBackend

  /// Of one connection only; the other side makes its own.
  private static let hops: [HTTPField.Name] = [.connection, .transferEncoding, .expect, .init("Keep-Alive")!, .te, .upgrade]

  func respond(_ request: Request, _ writer: consuming ResponseWriter, _ channel: any Channel) async throws {
    let (number, effect) = await traffic.begin(.registry, request.head)
    var isEnded = false
    do {
      if request.headers[.expect]?.lowercased() == "100-continue" { try await writer.writeInformationalHead(HTTPResponse(status: .continue)) }
      if let instead = try await FaultyReply.before(effect, request.head, channel) {
        // What the client still sends has to be read, or closing would take the reply from it.
        for try await _ in request.body {}
        isEnded = true
        await traffic.end(number, status: instead.status)
        return try await FaultyReply.send(instead, nil, to: request.method, writer, channel)
      }
      let body = Once(writer)
      try await pass(request, effect, number, body, channel)
    } catch {
      if !isEnded, effect == .dropBefore { await traffic.end(number, status: 0) }
      throw error
    }
  }

  /// Hands a writer, which can be used but once, into a closure.
  private final class Once: @unchecked Sendable {
    private var writer: ResponseWriter?
    init(_ writer: consuming ResponseWriter) { self.writer = consume writer }
    func take() -> ResponseWriter? {
      let taken = writer.take()
      return taken
    }
  }

  private func pass(
    _ request: Request, _ effect: Fault.Effect?, _ number: Int, _ once: Once, _ channel: any Channel
  ) async throws {
    var head = request.head
    for name in Self.hops { head.headerFields[name] = nil }
    if request.headers[.transferEncoding] != nil { head.headerFields[.transferEncoding] = "chunked" }
    let (port, authorization) = try await backend.target(of: request.headers[.authorization])
    head.headerFields[.authorization] = authorization
    try await LoopbackClient.exchange(port: port, head, body: request.body) { response, parts in
      var response = response
      for name in Self.hops { response.headerFields[name] = nil }
      // A reply that is broken on purpose is gathered whole: the registry has to be done with its work.
      if effect != nil {
        var reply = CloudReply(status: response.status.code, headers: response.headerFields)
        while case .body(let piece)? = try await parts.next() { reply.body.writeImmutableBuffer(piece) }
        if request.method == .head { reply.headers[.contentLength] = nil }
        await traffic.end(number, status: reply.status)
        if let writer = once.take() { try await FaultyReply.send(reply, effect, to: request.method, writer, channel) }
        return
      }
      await traffic.end(number, status: response.status.code)
      guard let writer = once.take() else { return }
      var output = try await writer.writeHead(response)
      while case .body(let piece)? = try await parts.next() { try await output.write(piece) }
      try await output.finish(nil)
    }
  }
}

/// Where the real registry is, and which tokens it is to see as expired.
actor RegistryBackend {
  private var registry: DockerRegistry?
  private let signer: RegistryTokenSigner
  /// In milliseconds: tokens issued until then.
  private var expiredUntil = 0

  init(_ signer: RegistryTokenSigner) { self.signer = signer }

  func use(_ registry: DockerRegistry) { self.registry = registry }
  func expireTokens(now: CloudDate) { expiredUntil = now.milliseconds }

  /// The port, and the credential as the registry is to see it: an ended token becomes one that has really expired.
  func target(of authorization: String?) throws -> (port: Int, authorization: String?) {
    guard let registry else { throw TestCloudError.notServing(what: "registry", reason: "it has not been started") }
    guard let token = authorization?.split(separator: " ").last.map(String.init), let claims = JSONWebToken.claims(token),
      let issued = claims["issued"].int, issued <= expiredUntil
    else { return (Int(registry.port), authorization) }
    let old = try signer.token(
      subject: claims["sub"].string ?? "", audience: claims["aud"].string ?? "", access: claims["access"], seconds: -3600,
      now: CloudDate(milliseconds: issued))
    return (Int(registry.port), "Bearer " + old)
  }
}
