import BuildModel

extension DeviceTypeReport {
  /// How it ended, for people, with whose fault it is: `built`, `failed (repository)`, `failed (host arm-1)`.
  package var verdict: String { Self.verdict(outcome, blame: blame, host: host) }

  /// The verdict and why, on one line or several.
  package var end: String { Self.end(verdict, reason) }

  /// What was cancelled is said once: the reason of it says so itself.
  package static func end(_ verdict: String, _ reason: String?) -> String {
    guard let reason else { return verdict }
    return reason.hasPrefix(verdict) ? reason : "\(verdict): \(reason)"
  }

  package static func verdict(_ outcome: Result, blame: Blame?, host: HostName?) -> String {
    guard outcome == .failed, let blame else { return outcome.rawValue }
    if blame == .host, let host { return "failed (host \(host))" }
    return "failed (\(blame.rawValue))"
  }
}
