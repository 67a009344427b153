import BuildModel
import CanonicalJSON
import Scheduling

/// What the state says about a host, beside its configuration.
extension Farm {
  package struct HostNote: Codable, Hashable, Sendable {
    /// Why it gets no new work: drained by hand, or after failures in a row; nil where it gets some.
    package var drained: String?
    /// Failures in a row that were the host's own fault.
    package var failures: Int
    package var lastFailure: String?

    /// For people.
    package var state: String {
      if let drained { return "drained: \(drained)" }
      guard failures > 0 else { return "ready" }
      return "ready, \(Counted(failures, "failure")) in a row, last: \(lastFailure ?? "unknown")"
    }
  }

  package func note(of host: HostName) async -> HostNote { await Self.noted(of: host, context) }

  /// Of this machine, as builds on it call it; nil where nothing is noted.
  package func localNote() async -> HostNote? {
    guard let name = HostPool.localName else { return nil }
    let note = await note(of: name)
    return note.drained == nil && note.failures == 0 ? nil : note
  }

  static func noted(of host: HostName, _ context: FarmContext) async -> HostNote {
    guard let row = try? await context.store.host(host) else { return HostNote(drained: nil, failures: 0, lastFailure: nil) }
    let health = row.health.flatMap { try? CanonicalJSON.decode(HostHealth.self, from: $0) } ?? HostHealth()
    var drained = row.drained
    if drained == nil, case .drained(let reason) = health.availability(now: .now, jitter: 0) { drained = reason }
    return HostNote(
      drained: drained, failures: health.consecutiveFailures, lastFailure: health.consecutiveFailures == 0 ? nil : health.lastReason)
  }
}
