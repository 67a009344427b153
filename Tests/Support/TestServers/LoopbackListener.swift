import Foundation
import Synchronization
import TestPeers

/// Listens on a free port of loopback, and serves each connection on a thread of its own.
package final class LoopbackListener: Sendable {
  package let port: UInt16
  /// nil when it accepts no more.
  private let listening: Listening

  private final class Listening: Sendable {
    let descriptor: Mutex<Int32?>
    init(_ descriptor: Int32) { self.descriptor = Mutex(descriptor) }
  }

  /// `serve` has the socket until it returns; then the socket is closed.
  package init(_ serve: @escaping @Sendable (LoopbackSocket) -> Void) throws {
    let (descriptor, port) = try LoopbackSocket.listen()
    let listening = Listening(descriptor)
    (self.listening, self.port) = (listening, port)
    Thread.detachNewThread {
      while case let connection = accept(descriptor, nil, nil), connection >= 0 {
        Thread.detachNewThread {
          serve(LoopbackSocket(connection))
          close(connection)
        }
      }
      listening.descriptor.withLock { number in
        close(descriptor)
        number = nil
      }
    }
  }

  /// Accepts no further connection.
  package func stop() { listening.descriptor.withLock { if let number = $0 { _ = shutdown(number, Int32(SHUT_RDWR)) } } }

  deinit { stop() }
}
