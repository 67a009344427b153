import Foundation
import Synchronization
import TestPeers

/// A strict HTTP/1.1 server of our own: it does what its script says, also wrong things, and notes whatever a client does wrong.
package final class FaultServer: Sendable {
  /// What its connections share. They may outlive the server.
  final class Log: Sendable {
    struct State {
      var requests: [Received] = []
      var violations: [String] = []
      var connections = 0
      var open: Set<Int32> = []
    }

    let state = Mutex(State())
    let peerClosed = DispatchSemaphore(value: 0)
  }

  private let listener: LoopbackListener
  private let log: Log

  package init(_ script: @escaping Script) throws {
    let log = Log()
    self.log = log
    listener = try LoopbackListener { socket in
      let number = log.state.withLock { state in
        state.connections += 1
        state.open.insert(socket.descriptor)
        return state.connections
      }
      FaultConnection(socket: socket, number: number, script: script, log: log).serve()
      log.state.withLock { _ = $0.open.remove(socket.descriptor) }
    }
  }

  /// Ends everything that is open.
  package func stop() {
    listener.stop()
    log.state.withLock { state in for descriptor in state.open { shutdown(descriptor, Int32(SHUT_RDWR)) } }
  }

  package var port: UInt16 { listener.port }
  package var origin: String { "http://127.0.0.1:\(port)" }
  package var requests: [Received] { log.state.withLock { $0.requests } }
  package var violations: [String] { log.state.withLock { $0.violations } }
  package var connections: Int { log.state.withLock { $0.connections } }
  /// Signalled for every connection that a client ended.
  package var peerClosed: DispatchSemaphore { log.peerClosed }
}
