import Foundation
import Glibc
import Synchronization

/// Stands between a client and a real server, one request a connection, and does to chosen requests what networks and servers do.
final class RelayServer: Sendable {
  enum Action: Sendable {
    case pass
    /// Swallows the request and answers itself.
    case answer([UInt8])
    /// Forwards the head and this many bytes of the body, then ends both connections.
    case cutBody(after: Int)
    /// Forwards everything, waits for the answer and loses it.
    case loseAnswer
    /// Forwards everything and cuts the answer after this many bytes.
    case cutAnswer(after: Int)
    /// Puts another Docker-Content-Digest field into the answer.
    case replaceDigest(String)
  }
  struct Request: Sendable {
    var method: String
    var target: String
    var hasAuthorization: Bool
    var length: Int
  }
  typealias Plan = @Sendable (Request, Int) -> Action

  let port: UInt16
  private let upstream: UInt16
  private let listener: Int32
  private let plan: Plan
  private let log = Mutex<[Request]>([])
  private let sent = Mutex<[String: Int]>([:])

  /// The number that a plan sees counts requests of the same method from 1.
  init(upstream: UInt16, _ plan: @escaping Plan = { _, _ in .pass }) throws {
    self.upstream = upstream
    self.plan = plan
    (listener, port) = try LoopbackSocket.listen()
    Thread.detachNewThread { [listener, weak self] in
      while true {
        let connection = accept(listener, nil, nil)
        guard connection >= 0 else { return }
        guard let self else {
          close(connection)
          return
        }
        Thread.detachNewThread {
          self.serve(LoopbackSocket(connection))
          close(connection)
        }
      }
    }
  }

  func stop() { shutdown(listener, Int32(SHUT_RDWR)) }
  deinit { close(listener) }

  var requests: [Request] { log.withLock { $0 } }
  func count(_ method: String) -> Int { requests.filter { $0.method == method }.count }
  /// Bytes of bodies of uploads that were forwarded.
  var uploadedBytes: Int { sent.withLock { ($0["PATCH"] ?? 0) + ($0["PUT"] ?? 0) } }

  private func serve(_ client: LoopbackSocket) {
    guard let head = client.readHead() else { return }
    var lines = head.components(separatedBy: "\r\n")
    let words = lines[0].components(separatedBy: " ")
    func field(_ name: String) -> String? {
      lines.first { $0.lowercased().hasPrefix(name + ":") }.map { $0.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces) }
    }
    let request = Request(
      method: words[0], target: words[1], hasAuthorization: field("authorization") != nil, length: Int(field("content-length") ?? "0") ?? 0)
    let number = log.withLock { log in
      log.append(request)
      return log.filter { $0.method == request.method }.count
    }
    let action = plan(request, number)
    if case .answer(let bytes) = action {
      var left = request.length
      while left > 0, case let piece = client.readSome(limit: left), !piece.isEmpty { left -= piece.count }
      _ = client.send(bytes)
      return
    }
    guard let server = LoopbackSocket.connect(port: upstream) else { return }
    defer { close(server.descriptor) }
    lines.removeAll { $0.lowercased().hasPrefix("connection:") }
    _ = server.send(Array((lines.joined(separator: "\r\n") + "\r\nConnection: close\r\n\r\n").utf8))
    var left = request.length
    var allowed = left
    if case .cutBody(let count) = action { allowed = min(count, left) }
    while allowed > 0, case let piece = client.readSome(limit: min(allowed, 1 << 18)), !piece.isEmpty {
      guard server.send(piece) else { return }
      (allowed, left) = (allowed - piece.count, left - piece.count)
      sent.withLock { $0[request.method, default: 0] += piece.count }
    }
    if left > 0 {
      // The registry keeps what came before an orderly end.
      shutdown(server.descriptor, Int32(SHUT_WR))
      while !server.readSome().isEmpty {}
      return client.resetOnClose()
    }
    forwardAnswer(action, from: server, to: client)
  }

  private func forwardAnswer(_ action: Action, from server: LoopbackSocket, to client: LoopbackSocket) {
    guard let head = server.readHead() else { return }
    var bytes = Array((head + "\r\n\r\n").utf8)
    switch action {
    case .replaceDigest(let field):
      let lines = head.components(separatedBy: "\r\n").filter { !$0.lowercased().hasPrefix("docker-content-digest:") } + [field]
      bytes = Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    case .loseAnswer:
      while !server.readSome().isEmpty {}
      return
    default: break
    }
    var limit = Int.max
    if case .cutAnswer(let count) = action { limit = count }
    guard client.send(bytes) else { return }
    while limit > 0, case let piece = server.readSome(limit: min(limit, 1 << 18)), !piece.isEmpty {
      guard client.send(piece) else { return }
      limit -= piece.count
    }
  }
}
