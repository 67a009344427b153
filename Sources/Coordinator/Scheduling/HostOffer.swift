import BuildModel

/// What a worker host has to offer at one moment, as the scheduler sees it.
package struct HostOffer: Hashable, Sendable {
  package var name: HostName
  package var architectures: [Architecture]
  package var slots: Int
  /// Attempts that run there now, ours and those of other requests.
  package var running: Int
  /// What `probe` found (`git`, `build-user`, …).
  package var features: Set<HostFeature>
  /// Why builds cannot run in a sandbox there; nil where they can, or may run without one.
  package var sandboxObstacle: String?
  package var freeDiskBytes: Int64
  /// Bytes of it that attempts of ours there may still take.
  package var claimedDiskBytes: Int64
  /// Whether it is removing what nobody needs, so that more is free in a while.
  package var isMakingRoom = false
  /// Seconds the host's clock is ahead (negative: behind).
  package var clockSkew: Double
  /// Machines with warm shared state.
  package var warmMachines: Set<String>
  /// Machines that an attempt builds there now: their shared state has one writer at a time.
  package var busyMachines: Set<String>
  package var availability: Availability
  /// Larger is faster; 1 when nothing is known.
  package var speed: Double

  package enum Availability: Hashable, Sendable {
    case ready
    case drained(String)
    case backingOff(until: Timestamp, String)
    /// It has not answered yet, because it was asked only now.
    case unasked
    /// It does not answer; it is asked again from time to time.
    case down(String)
    /// Left out: other host key, refused key, other protocol version. Somebody has to change something first.
    case leftOut(String)
  }

  package init(
    name: HostName, architectures: [Architecture], slots: Int, running: Int, features: Set<HostFeature>, freeDiskBytes: Int64,
    clockSkew: Double, warmMachines: Set<String>, busyMachines: Set<String>,
    availability: Availability, speed: Double = 1, claimedDiskBytes: Int64 = 0, sandboxObstacle: String? = nil
  ) {
    self.sandboxObstacle = sandboxObstacle
    self.name = name
    self.architectures = architectures
    self.slots = slots
    self.running = running
    self.features = features
    self.freeDiskBytes = freeDiskBytes
    self.claimedDiskBytes = claimedDiskBytes
    self.clockSkew = clockSkew
    self.warmMachines = warmMachines
    self.busyMachines = busyMachines
    self.availability = availability
    self.speed = speed
  }

  /// Takes a task's need from what other tasks may have.
  package mutating func claim(diskBytes: Int64) {
    claimedDiskBytes = claimedDiskBytes.addingSaturated(diskBytes)
  }
}
