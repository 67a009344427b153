/// How a worker program is reached: ``HostConnection`` over SSH, ``LocalTransport`` as a child process.
package protocol WorkerTransport: Sendable {
  /// For messages.
  var hostName: String { get }

  /// Runs a program while `body` talks to it. What still runs afterwards is ended (child process) or left to find
  /// its output closed (SSH).
  func withProcess<Value: Sendable>(
    _ command: RemoteCommand, limits: ProcessLimits, body: (any WorkerProcess) async throws -> Value
  ) async throws -> Value
}

/// A running worker verb. One task reads; writing and reading never happen at once.
package protocol WorkerProcess: Sendable {
  /// Waits until all bytes are taken. False when the program takes no more input: its exit says why.
  @discardableResult
  func write(_ bytes: [UInt8]) async throws -> Bool
  func closeInput() async throws
  /// The next piece of standard output, at most 256 KiB; nil at its end.
  func read() async throws -> [UInt8]?
  /// Waits for the end; unread output is thrown away, and more than 16 MiB of it are an error.
  func waitForExit() async throws -> ProcessExit
}

/// How long a verb may take.
package struct ProcessLimits: Hashable, Sendable {
  /// Without a single byte moving in the direction that is waited for.
  package var silence: Duration
  /// From start to exit; nil: as long as bytes move.
  package var total: Duration?

  package init(silence: Duration = .seconds(60), total: Duration? = nil) {
    self.silence = silence
    self.total = total
  }
}

/// The same with the moment of the start known.
struct ProcessDeadline: Sendable {
  let limits: ProcessLimits
  let end: ContinuousClock.Instant?

  init(_ limits: ProcessLimits) {
    self.limits = limits
    end = limits.total.map { .now + $0 }
  }

  /// Throws when the time for all of it is over: a peer that is never quiet makes nobody wait, and so no wait would notice.
  func checkTotal(_ operation: String, host: String) throws(ExecutorError) {
    guard let end, ContinuousClock.now >= end else { return }
    throw .timedOut(host: host, operation: operation, seconds: (limits.total ?? .zero).inSeconds)
  }

  /// When a wait that begins now is over.
  var next: ContinuousClock.Instant {
    let silent = ContinuousClock.now + limits.silence
    return end.map { min($0, silent) } ?? silent
  }
}
