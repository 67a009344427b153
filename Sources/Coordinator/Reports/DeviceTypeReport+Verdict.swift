import BuildModel

extension DeviceTypeReport {
  /// How it ended, for people, with whose fault it is: `built`, `failed (repository)`, `failed (host arm-1)`.
  package var verdict: String { Self.verdict(outcome, blame: blame, host: host) }

  package static func verdict(_ outcome: Result, blame: Blame?, host: HostName?) -> String {
    guard outcome == .failed, let blame else { return outcome.rawValue }
    if blame == .host, let host { return "failed (host \(host))" }
    return "failed (\(blame.rawValue))"
  }
}
