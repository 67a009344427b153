import BuildModel

/// Whether a failed attempt is followed by another. The only place that decides it, from the failure's kind alone.
package enum RetryRule {
  /// Attempts that a task gets when hosts fail it.
  package static let attemptLimit = 3
  /// Attempts that a task gets when something cannot be fetched: the second one shows whose fault it is.
  package static let fetchAttemptLimit = 2

  package enum Next: Hashable, Sendable {
    /// Try again, not on this host while another one fits.
    case another
    /// The task ends with this failure.
    case end
  }

  package static func next(after failure: Failure, attempts: Int) -> Next {
    switch failure.kind {
    case .infrastructure, .lost: attempts < attemptLimit ? .another : .end
    case .fetch: attempts < fetchAttemptLimit ? .another : .end
    case .build, .coordinator, .cloud, .rejected, .timedOut, .cancelled: .end
    }
  }
}

/// A host's record of infrastructure failures.
package struct HostHealth: Codable, Hashable, Sendable {
  package var consecutiveFailures: Int
  package var lastReason: String

  package init(consecutiveFailures: Int = 0, lastReason: String = "") {
    self.consecutiveFailures = consecutiveFailures
    self.lastReason = lastReason
  }

  /// Failures in a row after which a host is drained.
  package static let drainAfter = 3

  package mutating func succeeded() { self = HostHealth() }

  package mutating func failed(_ reason: String) {
    consecutiveFailures += 1
    lastReason = reason
  }

  /// What the record means now. `jitter` is a random fraction of 0 to 1 that spreads hosts that failed together.
  package func availability(now: Timestamp, jitter: Double) -> HostOffer.Availability {
    if consecutiveFailures == 0 { return .ready }
    if consecutiveFailures >= Self.drainAfter {
      return .drained("\(consecutiveFailures) failures in a row, last: \(lastReason)")
    }
    var seconds = 60.0
    for _ in 1..<consecutiveFailures { seconds *= 3 }
    return .backingOff(until: now.adding(seconds: seconds * (1 + 0.2 * jitter)), lastReason)
  }
}
