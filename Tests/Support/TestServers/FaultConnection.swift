import Foundation
import TestPeers

import struct Crypto.SHA256

/// One connection to a ``FaultServer``: reads requests strictly and does what the script says.
struct FaultConnection {
  let socket: LoopbackSocket
  /// Counted from 1.
  let number: Int
  let script: FaultServer.Script
  let log: FaultServer.Log

  private enum End {
    /// The client ended the connection.
    case byPeer
    case byServer
  }

  /// Serves until the connection ends.
  func serve() { if end() == .byPeer { log.peerClosed.signal() } }

  private func end() -> End {
    while true {
      guard let head = socket.readHead() else { return .byPeer }
      guard let received = receive(head) else { return .byServer }
      let count = log.state.withLock { state in
        state.requests.append(received)
        return state.requests.count
      }
      for step in script(received, count) {
        switch step {
        case .send(let bytes): if !socket.send(bytes) { return .byPeer }
        case .close: return .byServer
        case .reset:
          socket.resetOnClose()
          return .byServer
        case .untilPeerCloses:
          _ = socket.readSome()
          return .byPeer
        case .gate(let gate): gate.wait()
        case .note(let body): body()
        case .endless(let bytes, let pause):
          while socket.send(bytes) { usleep(pause * 1000) }
          return .byPeer
        case .fill(let total, let stuck): if !socket.fill(total, stuck) { return .byPeer }
        }
      }
    }
  }

  /// nil for a request that breaks a rule, which is noted, or is cut off.
  private func receive(_ head: String) -> FaultServer.Received? {
    var lines = head.components(separatedBy: "\r\n")
    let first = lines.removeFirst()
    let words = first.components(separatedBy: " ")
    func violate(_ what: String) -> FaultServer.Received? {
      log.state.withLock { $0.violations.append("\(what) in '\(first)'") }
      return nil
    }
    guard words.count == 3, words[2] == "HTTP/1.1" else { return violate("malformed request line") }
    var fields: [(name: String, value: String)] = []
    for line in lines {
      guard let colon = line.firstIndex(of: ":"), !line.contains("\n") else { return violate("malformed field '\(line)'") }
      fields.append((String(line[..<colon]), line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)))
    }
    func values(_ name: String) -> [String] { fields.filter { $0.name.lowercased() == name }.map(\.value) }
    guard values("host").count == 1 else { return violate("not exactly one Host") }
    guard values("content-length").count <= 1, values("transfer-encoding").isEmpty else { return violate("unclear length") }
    guard values("authorization").count <= 1 else { return violate("two authorizations") }
    // Only signed requests have one: libcurl 7.88 would sign a field that is taken out.
    guard values("expect").isEmpty || values("authorization").contains(where: { $0.hasPrefix("AWS4-HMAC-SHA256 ") }) else { return violate("Expect") }
    let hasBody = ["POST", "PUT", "PATCH"].contains(words[0])
    guard hasBody == !values("content-length").isEmpty else { return violate("Content-Length missing or out of place") }
    guard let length = Int(values("content-length").first ?? "0"), length >= 0 else { return violate("malformed length") }
    var hash = SHA256()
    var kept: [UInt8] = []
    var left = length
    while left > 0 {
      let bytes = socket.readSome(limit: min(left, 1 << 20))
      guard !bytes.isEmpty else { return nil }
      hash.update(data: bytes)
      if kept.count < 65536 { kept += bytes.prefix(65536 - kept.count) }
      left -= bytes.count
    }
    return FaultServer.Received(
      method: words[0], target: words[1], fields: fields, length: length, body: kept, bodyHash: Array(hash.finalize()), connection: number)
  }
}
