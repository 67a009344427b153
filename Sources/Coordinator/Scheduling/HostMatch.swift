import BuildModel

/// Decides whether a host fits a task, and lists everything it lacks.
package enum HostMatch {
  /// A clock that is further off makes file times and logs useless.
  package static let clockTolerance = 300.0

  package static func obstacles(of host: HostOffer, for need: TaskNeed, now: Timestamp) -> [HostObstacle] {
    // Nothing else about a host of another architecture matters. Its file says which it serves, also while it is down.
    guard host.architectures.contains(need.arch) else { return [.architecture(needed: need.arch, served: host.architectures)] }
    switch host.availability {
    case .unasked: return [.unasked]
    case .down(let reason): return [.down(reason)]
    case .leftOut(let reason): return [.leftOut(reason)]
    case .drained(let reason): return [.drained(reason)]
    case .backingOff(let until, let reason) where until > now: return [.backingOff(until: until, reason)]
    case .ready, .backingOff: break
    }
    var lacks: [HostObstacle] = []
    var missing = need.features.subtracting(host.features).sorted()
    if let obstacle = host.sandboxObstacle, let at = missing.firstIndex(of: .bubblewrap) {
      missing.remove(at: at)
      lacks.append(.sandbox(obstacle))
    }
    if !missing.isEmpty { lacks.append(.features(missing)) }
    if let obstacle = diskObstacle(host, need) { lacks.append(obstacle) }
    if host.clockSkew.magnitude > clockTolerance { lacks.append(.clock(skewSeconds: host.clockSkew)) }
    if need.avoid.contains(host.name) { lacks.append(.failedThisTaskBefore) }
    if host.running >= host.slots { lacks.append(.slots(host.slots)) }
    if host.busyMachines.contains(need.machine.text) { lacks.append(.machineBusy(need.machine)) }
    return lacks
  }

  private static func diskObstacle(_ host: HostOffer, _ need: TaskNeed) -> HostObstacle? {
    // What runs there gives back what it took when it ends.
    if host.freeDiskBytes < need.diskBytes, host.running == 0 {
      return host.isMakingRoom
        ? .makingRoom(neededBytes: need.diskBytes, freeBytes: host.freeDiskBytes)
        : .disk(neededBytes: need.diskBytes, freeBytes: host.freeDiskBytes)
    }
    let (left, overflows) = host.freeDiskBytes.subtractingReportingOverflow(host.claimedDiskBytes)
    guard overflows || left < need.diskBytes else { return nil }
    return .diskClaimed(neededBytes: need.diskBytes, freeBytes: host.freeDiskBytes, claimedBytes: host.claimedDiskBytes)
  }
}
