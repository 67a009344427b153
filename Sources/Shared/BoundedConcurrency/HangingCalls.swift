import Dispatch
import Synchronization

/// Calls of the system that somebody else can make hang for as long as they like: the resolver's name server, an agent that asks its user.
///
/// Each runs on a thread of its own. On a concurrent queue a few that hang would hold up all of Swift's tasks and every signal handler: those queues share
/// their threads. At most `limit` run at once; further ones wait in order, and each is left behind at its deadline.
package final class HangingCalls: Sendable {
  private struct State {
    var running = 0
    var lastID: UInt64 = 0
    /// In the order in which they came.
    var waiting: [(id: UInt64, start: @Sendable () -> Void)] = []
  }

  private let label: String
  private let limit: Int
  private let state = Mutex(State())
  private let deadlines: DispatchQueue

  /// `label` is shown by debuggers.
  package init(label: String, atOnce limit: Int) {
    self.label = label
    self.limit = max(1, limit)
    deadlines = DispatchQueue(label: label + ".deadlines")
  }

  /// What the call gives; nil when it has not ended at the deadline. It runs on then, unheard. Throws `CancellationError` alone.
  package func run<Value: Sendable>(
    until deadline: ContinuousClock.Instant, _ call: @escaping @Sendable () -> Value
  ) async throws(CancellationError) -> Value? {
    let answer = FirstAnswer<Value>()
    let outcome = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        answer.wait(continuation)
        let id = submit {
          answer.give(.ended(call()))
          self.next()
        }
        let left = max(0, (deadline - ContinuousClock.now) / .seconds(1))
        deadlines.asyncAfter(deadline: .now() + min(left, 86400)) {
          answer.give(.late)
          self.withdraw(id)
        }
      }
    } onCancel: {
      answer.give(.cancelled)
    }
    switch outcome {
    case .ended(let value): return value
    case .late: return nil
    case .cancelled: throw CancellationError()
    }
  }

  private func submit(_ start: @escaping @Sendable () -> Void) -> UInt64 {
    let (id, mayStart) = state.withLock { state in
      state.lastID += 1
      let mayStart = state.running < limit
      if mayStart { state.running += 1 } else { state.waiting.append((state.lastID, start)) }
      return (state.lastID, mayStart)
    }
    if mayStart { begin(start) }
    return id
  }

  private func begin(_ start: @escaping @Sendable () -> Void) {
    // A serial queue gets a thread whatever the others do.
    DispatchQueue(label: label).async(execute: start)
  }

  /// One has ended: the oldest that waits takes its place.
  private func next() {
    let start = state.withLock { state in
      if state.waiting.isEmpty {
        state.running -= 1
        return nil as (@Sendable () -> Void)?
      }
      return state.waiting.removeFirst().start
    }
    if let start { begin(start) }
  }

  private func withdraw(_ id: UInt64) { state.withLock { state in state.waiting.removeAll { $0.id == id } } }
}

/// How a call went for its caller, whoever says so first.
private final class FirstAnswer<Value: Sendable>: Sendable {
  enum Outcome: Sendable {
    case ended(Value)
    case late
    case cancelled
  }
  private enum State {
    case new
    case waiting(CheckedContinuation<Outcome, Never>)
    /// Kept when it came before anybody waited.
    case given(Outcome)
  }
  private let state = Mutex(State.new)

  func wait(_ continuation: CheckedContinuation<Outcome, Never>) {
    let early: Outcome? = state.withLock { state in
      if case .given(let outcome) = state { return outcome }
      state = .waiting(continuation)
      return nil
    }
    if let early { continuation.resume(returning: early) }
  }

  func give(_ outcome: Outcome) {
    let waiting: CheckedContinuation<Outcome, Never>? = state.withLock { state in
      if case .given = state { return nil }
      defer { state = .given(outcome) }
      if case .waiting(let continuation) = state { return continuation }
      return nil
    }
    waiting?.resume(returning: outcome)
  }
}
