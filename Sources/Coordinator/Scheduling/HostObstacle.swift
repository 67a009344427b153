import BuildModel

/// Why a host cannot take a task now.
package enum HostObstacle: Hashable, Sendable, CustomStringConvertible {
  case architecture(needed: Architecture, served: [Architecture])
  case features([HostFeature])
  /// It cannot run builds in a sandbox, for this reason.
  case sandbox(String)
  case disk(neededBytes: Int64, freeBytes: Int64)
  /// Too little is free, and it is removing what nobody needs.
  case makingRoom(neededBytes: Int64, freeBytes: Int64)
  /// Enough is free, but attempts that run there may need it.
  case diskClaimed(neededBytes: Int64, freeBytes: Int64, claimedBytes: Int64)
  case slots(Int)
  case machineBusy(Machine)
  case clock(skewSeconds: Double)
  case drained(String)
  case backingOff(until: Timestamp, String)
  /// It has not answered yet, because it was asked only now.
  case unasked
  /// It does not answer.
  case down(String)
  case leftOut(String)
  case failedThisTaskBefore

  /// What has to happen before the host can take the task.
  package enum Outlook: Hashable, Sendable {
    /// Time alone: the host comes free.
    case soon
    /// Somebody starts the host or takes it back, which may be at any time.
    case later
    /// Somebody changes the host or its file: not while a request waits.
    case never
  }

  package var outlook: Outlook {
    switch self {
    case .slots, .machineBusy, .diskClaimed, .makingRoom, .backingOff, .unasked: .soon
    case .drained, .down: .later
    case .architecture, .features, .sandbox, .disk, .clock, .leftOut: .never
    // Another host is preferred, but this one can do it.
    case .failedThisTaskBefore: .soon
    }
  }

  /// Names the kind, without its figures: a task that waits for the same thing is reported once.
  package var kind: String {
    switch self {
    case .architecture: "architecture"
    case .features: "features"
    case .sandbox: "sandbox"
    case .disk: "disk"
    case .makingRoom: "making-room"
    case .diskClaimed: "disk-claimed"
    case .slots: "slots"
    case .machineBusy: "machine"
    case .clock: "clock"
    case .drained: "drained"
    case .backingOff: "backing-off"
    case .unasked: "unasked"
    case .down: "down"
    case .leftOut: "left-out"
    case .failedThisTaskBefore: "failed-before"
    }
  }

  package var description: String {
    switch self {
    case .architecture(let needed, let served):
      "does not serve \(needed) (serves \(served.map(\.rawValue).joined(separator: ", ")))"
    case .features(let missing): missing.map(Self.lack).joined(separator: ", ")
    case .sandbox(let reason): "runs no build without a sandbox: \(reason) ('isolation: none' in its file builds without one)"
    case .disk(let needed, let free): "has \(ByteCount(bytes: free)) of free disk, \(ByteCount(bytes: needed)) are needed"
    case .makingRoom(let needed, let free):
      "has \(ByteCount(bytes: free)) of free disk, \(ByteCount(bytes: needed)) are needed: it is removing what nobody needs any more"
    case .diskClaimed(let needed, let free, let claimed):
      "has \(ByteCount(bytes: free)) of free disk, of which running builds may need \(ByteCount(bytes: claimed)); \(ByteCount(bytes: needed)) are needed"
    case .slots(let count): "is busy (\(count) of \(Counted(count, "slot")))"
    case .machineBusy(let machine): "is building \(machine) already (its shared state has one writer at a time)"
    case .clock(let skew): "its clock is \(Int(saturating: skew.magnitude.rounded(.down))) s \(skew > 0 ? "ahead" : "behind")"
    case .drained(let reason): "is drained: \(reason)"
    case .backingOff(let until, let reason): "is backing off until \(until): \(reason)"
    case .unasked: "has not answered yet"
    case .down(let reason): "does not answer: \(reason)"
    case .leftOut(let reason): "is left out: \(reason)"
    case .failedThisTaskBefore: "failed this device type before"
    }
  }

  /// What a host lacks, in words; the names are those of a probe.
  private static func lack(_ feature: HostFeature) -> String {
    switch feature {
    case .buildUser: "its worker runs as root, and bitbake refuses to run as root (give it the account of an ordinary user)"
    case .git, .docker: "lacks \(feature) (install it there)"
    case .dockerfile: "lacks buildah or docker for blocks from Dockerfiles (install one of them there)"
    default: "lacks \(feature)"
    }
  }
}
