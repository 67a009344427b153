import Foundation
import Glibc
import TestPeers

/// One request that passes a ``RelayServer``, and its answer.
struct RelayExchange {
  let client: LoopbackSocket
  let upstream: UInt16
  let plan: RelayServer.Plan
  let log: RelayServer.Log

  func serve() {
    guard let head = client.readHead() else { return }
    var lines = head.components(separatedBy: "\r\n")
    let words = lines[0].components(separatedBy: " ")
    func field(_ name: String) -> String? {
      lines.first { $0.lowercased().hasPrefix(name + ":") }.map { $0.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces) }
    }
    let request = RelayServer.Request(
      method: words[0], target: words[1], hasAuthorization: field("authorization") != nil, length: Int(field("content-length") ?? "0") ?? 0)
    let number = log.requests.withLock { all in
      all.append(request)
      return all.filter { $0.method == request.method }.count
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
      log.sent.withLock { $0[request.method, default: 0] += piece.count }
    }
    if left > 0 {
      // The registry keeps what came before an orderly end.
      shutdown(server.descriptor, Int32(SHUT_WR))
      while !server.readSome().isEmpty {}
      return client.resetOnClose()
    }
    forwardAnswer(action, from: server)
  }

  private func forwardAnswer(_ action: RelayServer.Action, from server: LoopbackSocket) {
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
