import Synchronization
import TestPeers

/// Stands between a client and a real server, one request per connection, and does to chosen requests what networks and servers do.
package final class RelayServer: Sendable {
  package enum Action: Sendable {
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
  package struct Request: Sendable {
    package var method: String
    package var target: String
    package var hasAuthorization: Bool
    package var length: Int
  }
  package typealias Plan = @Sendable (Request, Int) -> Action

  /// What its connections share. They may outlive it.
  final class Log: Sendable {
    let requests = Mutex<[Request]>([])
    let sent = Mutex<[String: Int]>([:])
  }

  private let listener: LoopbackListener
  private let log: Log

  /// The number that a plan sees counts requests of the same method from 1.
  package init(upstream: UInt16, _ plan: @escaping Plan = { _, _ in .pass }) throws {
    let log = Log()
    self.log = log
    listener = try LoopbackListener { RelayExchange(client: $0, upstream: upstream, plan: plan, log: log).serve() }
  }

  package func stop() { listener.stop() }

  package var port: UInt16 { listener.port }
  package var requests: [Request] { log.requests.withLock { $0 } }
  package func count(_ method: String) -> Int { requests.filter { $0.method == method }.count }
  /// Bytes of bodies of uploads that were forwarded.
  package var uploadedBytes: Int { log.sent.withLock { ($0["PATCH"] ?? 0) + ($0["PUT"] ?? 0) } }
}
