import Synchronization

/// The wish to end the running request in order. Set from a signal handler's queue, read by the engine.
///
/// Swift's own task cancellation is not used for it: it would cut the very connections over which the attempts have to be ended.
package final class CancelFlag: Sendable {
  private let requested = Atomic<Bool>(false)

  package init() {}

  package var isRequested: Bool { requested.load(ordering: .relaxed) }

  /// Returns whether it was requested before.
  package func request() -> Bool { requested.exchange(true, ordering: .relaxed) }
}
