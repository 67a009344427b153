/// How long a child may take. An end by one of these bounds is a result, not an error.
package struct ChildLimits: Sendable {
  /// Seconds without output.
  package var silentSeconds: Double
  /// When it must have ended, in seconds of the monotonic clock (see ``MonotonicClock``).
  package var deadline: Double

  package init(silentSeconds: Double, deadline: Double) {
    self.silentSeconds = silentSeconds
    self.deadline = deadline
  }

  /// A bound on the total alone.
  package static func total(_ seconds: Double) -> ChildLimits {
    ChildLimits(silentSeconds: seconds, deadline: MonotonicClock.now + seconds)
  }
}
