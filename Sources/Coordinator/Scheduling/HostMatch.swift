import BuildModel

/// Why a host cannot take a task now.
package enum HostObstacle: Hashable, Sendable, CustomStringConvertible {
  case architecture(needed: Architecture, served: [Architecture])
  case features([String])
  case disk(neededBytes: Int64, freeBytes: Int64)
  /// Enough is free, but attempts that run there may need it.
  case diskClaimed(neededBytes: Int64, freeBytes: Int64, claimedBytes: Int64)
  case slots(Int)
  case machineBusy(Machine)
  case clock(skewSeconds: Double)
  case drained(String)
  case backingOff(until: Timestamp, String)
  case leftOut(String)
  case failedThisTaskBefore

  /// Whether waiting can help without anybody touching the host.
  package var passesByItself: Bool {
    switch self {
    case .slots, .machineBusy, .diskClaimed, .backingOff: true
    default: false
    }
  }

  package var description: String {
    switch self {
    case .architecture(let needed, let served):
      "does not serve \(needed) (serves \(served.map(\.rawValue).joined(separator: ", ")))"
    case .features(let missing): "lacks \(missing.joined(separator: ", "))"
    case .disk(let needed, let free): "has \(ByteCount(bytes: free)) of free disk, \(ByteCount(bytes: needed)) are needed"
    case .diskClaimed(let needed, let free, let claimed):
      "has \(ByteCount(bytes: free)) of free disk, of which running builds may need \(ByteCount(bytes: claimed)); \(ByteCount(bytes: needed)) are needed"
    case .slots(let count): "is busy (\(count) of \(count) slots)"
    case .machineBusy(let machine): "is building \(machine) already (its shared state has one writer at a time)"
    case .clock(let skew): "its clock is \(Int(skew.magnitude)) s \(skew > 0 ? "ahead" : "behind")"
    case .drained(let reason): "is drained: \(reason)"
    case .backingOff(let until, let reason): "is backing off until \(until): \(reason)"
    case .leftOut(let reason): "is left out: \(reason)"
    case .failedThisTaskBefore: "failed this device type before"
    }
  }
}

/// Decides whether a host fits a task, and lists everything it lacks.
package enum HostMatch {
  /// A clock that is further off makes file times and logs useless.
  package static let clockTolerance = 300.0

  package static func obstacles(of host: HostOffer, for need: TaskNeed, now: Timestamp) -> [HostObstacle] {
    switch host.availability {
    case .leftOut(let reason):
      // A host that could not be asked has an architecture all the same: its configuration says so.
      return architectureObstacle(host, need) + [.leftOut(reason)]
    case .drained(let reason): return architectureObstacle(host, need) + [.drained(reason)]
    case .backingOff(let until, let reason) where until > now:
      return architectureObstacle(host, need) + [.backingOff(until: until, reason)]
    case .ready, .backingOff: break
    }
    var lacks = architectureObstacle(host, need)
    let missing = need.features.subtracting(host.features).sorted()
    if !missing.isEmpty { lacks.append(.features(missing)) }
    if let obstacle = diskObstacle(host, need) { lacks.append(obstacle) }
    if host.clockSkew.magnitude > clockTolerance { lacks.append(.clock(skewSeconds: host.clockSkew)) }
    if need.avoid.contains(host.name) { lacks.append(.failedThisTaskBefore) }
    if host.running >= host.slots { lacks.append(.slots(host.slots)) }
    if host.busyMachines.contains(need.machine.text) { lacks.append(.machineBusy(need.machine)) }
    return lacks
  }

  private static func diskObstacle(_ host: HostOffer, _ need: TaskNeed) -> HostObstacle? {
    if host.freeDiskBytes < need.diskBytes { return .disk(neededBytes: need.diskBytes, freeBytes: host.freeDiskBytes) }
    let (left, overflows) = host.freeDiskBytes.subtractingReportingOverflow(host.claimedDiskBytes)
    guard overflows || left < need.diskBytes else { return nil }
    return .diskClaimed(neededBytes: need.diskBytes, freeBytes: host.freeDiskBytes, claimedBytes: host.claimedDiskBytes)
  }

  private static func architectureObstacle(_ host: HostOffer, _ need: TaskNeed) -> [HostObstacle] {
    host.architectures.contains(need.arch) ? [] : [.architecture(needed: need.arch, served: host.architectures)]
  }
}
