import Dispatch

/// Runs synchronous work (disk, hashing, child processes) away from Swift's cooperative threads.
///
/// At most as many pieces run at once as there are processors (but two are allowed on one), further ones wait in order. Work that is running is not
/// interrupted by cancellation; it should therefore be bounded by itself.
package enum BlockingWork {
  private static let slots = DispatchSemaphore(value: max(2, Processors.available))
  private static let gate = DispatchQueue(label: "blockfarm.blocking.gate")

  /// Throws what the work throws, and `CancellationError` where the caller was cancelled before.
  package static func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try Task.checkCancellation()
    return try await withCheckedThrowingContinuation { continuation in
      gate.async {
        slots.wait()
        // A serial queue has a thread of its own. Concurrent ones share theirs with Swift's tasks, which would wait for this work.
        DispatchQueue(label: "blockfarm.blocking").async {
          let result = Result { try work() }
          slots.signal()
          continuation.resume(with: result)
        }
      }
    }
  }
}
