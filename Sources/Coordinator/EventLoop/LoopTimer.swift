import Synchronization

/// The name of one moment that a loop waits for; another with each initialization.
package struct LoopTimer: Hashable, Sendable {
  private static let made = Atomic<UInt64>(0)
  private let number: UInt64

  package init() { number = Self.made.add(1, ordering: .relaxed).newValue }
}
