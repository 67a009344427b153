import BuildModel

/// What becomes of device types that the coordinator was working on when it crashed: whatever they hold must not stop the others again and again.
package enum CrashRule {
  /// Crashes in a row after which a device type is given up.
  package static let limit = 3

  package struct Verdict: Hashable, Sendable {
    /// Given up: the coordinator crashed too often with these.
    package var failed: Set<Slug>
    /// Taken in hand one after the other, so that one more crash shows which of them is the cause.
    package var suspects: [Slug]
  }

  /// `crashes`: how often in a row the coordinator has crashed with a device type in hand.
  package static func verdict(crashes: [Slug: Int]) -> Verdict {
    Verdict(
      failed: Set(crashes.filter { $0.value >= limit }.keys),
      suspects: crashes.filter { $0.value == limit - 1 }.keys.sorted())
  }

  package static func failure(of slug: Slug) -> Failure {
    Failure(
      kind: .coordinator, step: nil,
      reason: "blockfarm crashed \(limit) times in a row while it was working on \(slug); the device type is given up so that the others go on")
  }
}
