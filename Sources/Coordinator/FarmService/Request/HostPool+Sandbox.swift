import BuildModel
import CoordinatorConfiguration

/// Which hosts run builds in a sandbox, and which worker is theirs.
extension HostPool {
  /// What was found there. Where builds may do without a sandbox, they lack none.
  static func features(of host: Host) -> Set<HostFeature> {
    let found = Set(host.probe?.features ?? [])
    return host.confinement?.isUnconfined == true ? found.union([HostFeature.bubblewrap]) : found
  }

  /// Compares a host's worker with the recorded one; for whoever has no probe of it.
  func verifyWorker(of name: HostName) async throws {
    guard let host = hosts[name], let recorded = host.configuration?.recordedWorker else { return }
    try await host.client.verifyInstalled(recorded)
  }

  func confinement(_ name: HostName) -> TaskSpec.Confinement? { hosts[name]?.confinement }
}

extension ProbeReport {
  /// Why the host starts no sandbox; nil where it does. An earlier worker knows of none.
  func sandboxObstacle(named name: HostName) -> String? {
    if features.contains(.bubblewrap) { return nil }
    return sandboxObstacle ?? "its worker is of an earlier blockfarm ('blockfarm worker remove \(name)', then 'worker add' installs this one's)"
  }
}

extension HostConfiguration {
  /// What the host's program is compared with; nil where nothing on the host can be asked.
  var recordedWorker: Digest? { hasForcedCommand ? nil : worker }
}
