import Dispatch

extension FaultServer {
  /// A request as it came.
  package struct Received: Sendable {
    package var method: String
    /// Path and query, or an absolute URL from a client that thinks this is a proxy.
    package var target: String
    package var fields: [(name: String, value: String)]
    package var length: Int
    /// At most the first 64 KiB.
    package var body: [UInt8]
    package var bodyHash: [UInt8]
    /// Connections count from 1.
    package var connection: Int

    package func field(_ name: String) -> String? { fields.first { $0.name.lowercased() == name.lowercased() }?.value }
  }

  package enum Step: Sendable {
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
    /// Sends the same again and again, with pauses of so many milliseconds, until the client ends the connection.
    case endless([UInt8], pause: UInt32)
    /// Sends that many bytes; says how many there were when the client first took none for half a second, or at the end.
    case fill(upTo: Int, stuck: @Sendable (Int) -> Void)
  }

  /// What to do on a request; the number counts all requests from 1.
  package typealias Script = @Sendable (Received, Int) -> [Step]
}
