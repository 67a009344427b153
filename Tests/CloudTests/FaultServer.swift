import Foundation
import Glibc
import Synchronization
import TestFiles
import TestPeers

import struct Crypto.SHA256

/// A strict HTTP/1.1 server of our own: it does what its script says, also wrong things, and notes whatever a client does wrong.
final class FaultServer: Sendable {
  struct Received: Sendable {
    var method: String
    /// Path and query, or an absolute URL from a client that thinks this is a proxy.
    var target: String
    var fields: [(name: String, value: String)]
    var length: Int
    /// At most the first 64 KiB.
    var body: [UInt8]
    var bodyHash: [UInt8]
    /// Connections count from 1.
    var connection: Int

    func field(_ name: String) -> String? { fields.first { $0.name.lowercased() == name.lowercased() }?.value }
  }

  enum Step: Sendable {
    case send([UInt8])
    /// Ends the connection; nothing after it counts.
    case close
    /// Ends it with RST.
    case reset
    /// Sends nothing until the client ends the connection.
    case untilPeerCloses
    /// Waits until the test opens the gate.
    case gate(DispatchSemaphore)
    /// Runs in its turn, after everything before it was sent.
    case note(@Sendable () -> Void)
    /// Sends that many bytes; says how many there were when the client first took none for half a second, or at the end.
    case fill(upTo: Int, stuck: @Sendable (Int) -> Void)
  }

  /// What to do on a request; the number counts all requests from 1.
  typealias Script = @Sendable (Received, Int) -> [Step]

  private struct State {
    var requests: [Received] = []
    var violations: [String] = []
    var connections = 0
    var open: Set<Int32> = []
    var isEnding = false
  }

  let port: UInt16
  private let listener: Int32
  private let script: Script
  private let state = Mutex(State())
  /// Signalled for every connection that a client ended.
  let peerClosed = DispatchSemaphore(value: 0)

  init(_ script: @escaping Script) throws {
    self.script = script
    (listener, port) = try LoopbackSocket.listen()
    Thread.detachNewThread { [listener, weak self] in
      while true {
        let connection = accept(listener, nil, nil)
        guard connection >= 0 else { return }
        guard let self else {
          close(connection)
          return
        }
        serveOnThread(connection)
      }
    }
  }

  deinit {
    shutdown(listener, Int32(SHUT_RDWR))
    close(listener)
  }

  /// Ends everything that is open.
  func stop() {
    shutdown(listener, Int32(SHUT_RDWR))
    state.withLock { state in for descriptor in state.open { shutdown(descriptor, Int32(SHUT_RDWR)) } }
  }

  var origin: String { "http://127.0.0.1:\(port)" }
  var requests: [Received] { state.withLock { $0.requests } }
  var violations: [String] { state.withLock { $0.violations } }
  var connections: Int { state.withLock { $0.connections } }

  private func serveOnThread(_ descriptor: Int32) {
    let number = state.withLock { state in
      state.connections += 1
      state.open.insert(descriptor)
      return state.connections
    }
    Thread.detachNewThread { [self] in
      serve(LoopbackSocket(descriptor), number)
      state.withLock { _ = $0.open.remove(descriptor) }
      close(descriptor)
    }
  }

  private func serve(_ socket: LoopbackSocket, _ connection: Int) {
    while true {
      guard let head = socket.readHead() else { return peerClosed.signal().discard }
      guard let received = receive(head, from: socket, connection) else { return }
      let number = state.withLock { state in
        state.requests.append(received)
        return state.requests.count
      }
      for step in script(received, number) {
        switch step {
        case .send(let bytes): if !socket.send(bytes) { return peerClosed.signal().discard }
        case .close: return
        case .reset: return socket.resetOnClose()
        case .untilPeerCloses:
          _ = socket.readSome()
          return peerClosed.signal().discard
        case .gate(let gate): gate.wait()
        case .note(let body): body()
        case .fill(let total, let stuck): if !socket.fill(total, stuck) { return peerClosed.signal().discard }
        }
      }
    }
  }

  private func receive(_ head: String, from socket: LoopbackSocket, _ connection: Int) -> Received? {
    var lines = head.components(separatedBy: "\r\n")
    let first = lines.removeFirst()
    let words = first.components(separatedBy: " ")
    func violate(_ what: String) -> Received? {
      state.withLock { $0.violations.append("\(what) in '\(first)'") }
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
    return Received(
      method: words[0], target: words[1], fields: fields, length: length, body: kept, bodyHash: Array(hash.finalize()), connection: connection)
  }
}

extension Int {
  /// For `return` of a signal's count where nothing is returned.
  fileprivate var discard: Void { () }
}

/// Answers as bytes.
enum Reply {
  static func bytes(_ status: Int, _ fields: [(String, String)] = [], body: [UInt8] = [], length: Int? = nil) -> [UInt8] {
    var head = "HTTP/1.1 \(status) Reason\r\n"
    for (name, value) in fields { head += "\(name): \(value)\r\n" }
    if !fields.contains(where: { $0.0 == "Transfer-Encoding" }), status != 204 { head += "Content-Length: \(length ?? body.count)\r\n" }
    return Array((head + "\r\n").utf8) + body
  }
  static func send(_ status: Int, _ fields: [(String, String)] = [], _ text: String = "") -> [FaultServer.Step] {
    [.send(bytes(status, fields, body: Array(text.utf8)))]
  }
}

/// A blocking socket with a buffer.
final class LoopbackSocket {
  let descriptor: Int32
  private var buffer: [UInt8] = []

  init(_ descriptor: Int32) { self.descriptor = descriptor }

  static func listen() throws -> (Int32, UInt16) {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let code = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) | getsockname(descriptor, $0, &length) }
    }
    guard descriptor >= 0, code == 0, Glibc.listen(descriptor, 64) == 0 else { throw PeerError("a listening socket") }
    return (descriptor, UInt16(bigEndian: address.sin_port))
  }

  /// Up to the empty line; nil when the peer ended the connection.
  func readHead() -> String? {
    let end = Array("\r\n\r\n".utf8)
    while true {
      if let range = buffer.firstRange(of: end) {
        let head = String(decoding: buffer[..<range.lowerBound], as: UTF8.self)
        buffer.removeSubrange(..<range.upperBound)
        return head
      }
      guard buffer.count < 65536, fill() else { return nil }
    }
  }

  /// Empty at the end.
  func readSome(limit: Int = 1 << 20) -> [UInt8] {
    if buffer.isEmpty, !fill() { return [] }
    let bytes = Array(buffer.prefix(limit))
    buffer.removeFirst(bytes.count)
    return bytes
  }

  private func fill() -> Bool {
    var bytes = [UInt8](repeating: 0, count: 256 << 10)
    let count = recv(descriptor, &bytes, bytes.count, 0)
    if count > 0 { buffer += bytes[..<count] }
    return count > 0
  }

  func send(_ bytes: [UInt8]) -> Bool {
    var sent = 0
    while sent < bytes.count {
      let count = bytes.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL)) }
      guard count > 0 else { return false }
      sent += count
    }
    return true
  }

  func fill(_ total: Int, _ stuck: (Int) -> Void) -> Bool {
    let piece = noise(64 << 10)
    var sent = 0
    var wasStuck = false
    while sent < total {
      var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      if !wasStuck, poll(&wait, 1, 500) == 0 {
        wasStuck = true
        stuck(sent)
      }
      let count = Glibc.send(descriptor, piece, min(piece.count, total - sent), Int32(MSG_NOSIGNAL) | (wasStuck ? 0 : Int32(MSG_DONTWAIT)))
      if count < 0, errno == EAGAIN { continue }
      guard count > 0 else { return false }
      sent += count
    }
    if !wasStuck { stuck(sent) }
    return true
  }

  func resetOnClose() {
    var linger = linger(l_onoff: 1, l_linger: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
  }
}
