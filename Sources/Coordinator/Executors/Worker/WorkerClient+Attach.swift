import BuildModel
import FoundationEssentials

/// How far an attempt's journal and log were read.
package struct AttachPosition: Hashable, Sendable {
  /// Sequence of the first event wanted; the first of all is 1.
  package var nextEvent: Int
  /// Bytes of the log that are known.
  package var logOffset: Int64

  package init(nextEvent: Int = 1, logOffset: Int64 = 0) {
    self.nextEvent = nextEvent
    self.logOffset = logOffset
  }

  private static let logPieceLimit: Int64 = 256 << 10

  /// Steps over a line; a text says why the line cannot come here.
  mutating func advance(over line: AttachLine) -> String? {
    switch line {
    case .heartbeat: return nil
    case .event(let event):
      guard event.sequence == nextEvent else { return "event \(event.sequence) where \(nextEvent) was due" }
      nextEvent += 1
    case .log(let offset, let next, let text):
      guard offset == logOffset else { return "log from byte \(offset) where \(logOffset) was due" }
      guard next > offset, next - offset <= Self.logPieceLimit else { return "a log piece from \(offset) to \(next)" }
      // A byte that is no UTF-8 becomes a character of three bytes.
      guard text.utf8.count <= 3 * (next - offset) else { return "a log piece longer than its bytes" }
      logOffset = next
    }
    return nil
  }
}

extension WorkerClient {
  /// Follows an attempt over one connection: calls `onLine` for each event and log piece from the position on, in order and without gaps,
  /// and returns the outcome. A connection that is lost before throws.
  package func attach(
    _ attempt: AttemptID, from position: AttachPosition, onLine: (AttachLine) async throws -> Void
  ) async throws -> Outcome {
    let arguments = ["attach", attempt.description, "--from", String(position.nextEvent), "--log-from", String(position.logOffset)]
    // A worker says something every ten seconds.
    return try await transport.withProcess(command.verb(arguments), limits: ProcessLimits(silence: .seconds(60))) { process in
      var position = position
      try await process.closeInput()
      var reader = AnswerReader(process: process, hostName: hostName)
      try await reader.skipToMarker()
      while let bytes = try await reader.line() {
        let line = try reader.decode(AttachLine.self, bytes)
        if let fault = position.advance(over: line) { throw ExecutorError.malformed(host: hostName, what: "\(attempt): \(fault)") }
        if case .event(let event) = line, case .outcome(let outcome) = event.kind {
          guard outcome.attempt == attempt else {
            throw ExecutorError.malformed(host: hostName, what: "the outcome of \(outcome.attempt) instead of \(attempt)")
          }
          try await onLine(line)
          return outcome
        }
        try await onLine(line)
      }
      let exit = try await process.waitForExit()
      guard exit.isSuccess else { throw failed(arguments, exit) }
      throw ExecutorError.unreachable(host: hostName, reason: "it stopped telling about \(attempt) before the outcome")
    }
  }

  /// Follows an attempt to its outcome over any number of connections: after a lost one it attaches again from where it was.
  ///
  /// Gives up when nothing came from the host for `patience`, with the last error. `onInterruption` is called for each loss.
  package func follow(
    _ attempt: AttemptID, from start: AttachPosition, patience: Duration,
    onInterruption: (ExecutorError) async -> Void, onLine: (AttachLine) async throws -> Void
  ) async throws -> Outcome {
    var position = start
    var lastSign = ContinuousClock.now
    while true {
      let before = lastSign
      do {
        return try await attach(attempt, from: position) { line in
          try await onLine(line)
          lastSign = .now
          _ = position.advance(over: line)
        }
      } catch let error as ExecutorError where error.isHostTrouble || error.isLostWorker {
        guard ContinuousClock.now - lastSign < patience else { throw error }
        await onInterruption(error)
        // A host that answers and still does not follow is not asked in a circle; one that is down is paced by its connection.
        if lastSign == before { try await Task.sleep(for: .seconds(1)) }
      }
    }
  }
}

extension ExecutorError {
  /// The verb was ended from outside, as by a reboot.
  fileprivate var isLostWorker: Bool {
    if case .remote(_, _, let exit) = self { exit.signal != nil } else { false }
  }
}
