import BoundedConcurrency
import BuildModel
import CanonicalJSON
import CoordinatorConfiguration
import EventLoop
import Executors
import FoundationEssentials
import Scheduling
import Store

/// The worker hosts of a run: connections, what they offer, and which attempts hold their slots.
actor HostPool {
  struct Host {
    var configuration: HostConfiguration?
    /// How builds there are kept from the rest of the host; nil: in the worker's way.
    var confinement: TaskSpec.Confinement?
    var client: WorkerClient
    var connection: HostConnection?
    var probe: ProbeReport?
    var probedAt: Timestamp?
    var clockSkew = 0.0
    var leftOut: String?
    /// Why it does not answer; nil when it answered last, or was never asked.
    var down: String?
    /// Its answer is under way.
    var isBeingAsked = false
    var health = HostHealth()
    var drained: String?
    var backoffUntil: Timestamp?
    /// Whether it was asked to make room in this run.
    var hasMadeRoom = false
    /// Whether it is at it.
    var isMakingRoom = false
    /// Device types of ours that run there.
    var reserved: [Slug: Reservation] = [:]
  }

  /// What an attempt of ours holds of a host.
  struct Reservation {
    var machine: Machine
    /// Bytes of disk that it may take.
    var diskBytes: Int64
  }

  private let context: FarmContext
  var hosts: [HostName: Host] = [:]
  private let report: @Sendable (FarmEvent) -> Void
  /// Seconds after which a probe is asked for again.
  private static let probeAge = 30.0
  /// Hosts that are asked at the same time.
  static let probesAtOnce = 64

  init(context: FarmContext, report: @escaping @Sendable (FarmEvent) -> Void) {
    self.context = context
    self.report = report
  }

  /// Uses this machine as the only host, through a child process.
  func useLocalHost(worker: String, slots: Int, isUnconfined: Bool = false) throws {
    guard let name = Self.localName else { return }
    let root = context.configuration.state + "/local"
    hosts[name] = Host(
      configuration: nil, confinement: TaskSpec.Confinement(isUnconfined: isUnconfined, hidden: [context.configuration.state]),
      client: WorkerClient(transport: LocalTransport(loop: context.loop), command: InstalledWorker(binary: worker, root: root)))
    localSlots = slots
  }
  private var localSlots = 1
  /// This machine's name in attempts and reports.
  static let localName = try? HostName("local")

  /// Takes hosts of the configuration. `mayGrow`: those that are added to it later, too, see ``pickUpNew()``.
  func useConfigured(_ configurations: [HostConfiguration], mayGrow: Bool) {
    self.mayGrow = mayGrow
    add(configurations)
  }
  private var mayGrow = false

  /// Looks for hosts whose file was added meanwhile; known ones stay. Nothing where hosts were chosen.
  func pickUpNew() {
    if mayGrow { add(context.configuration.readHosts().hosts) }
  }

  private func add(_ configurations: [HostConfiguration]) {
    for configuration in configurations where hosts[configuration.name] == nil {
      do {
        let connection = try Self.connection(to: configuration, loop: context.loop)
        hosts[configuration.name] = Host(
          configuration: configuration, confinement: configuration.isUnconfined ? TaskSpec.Confinement(isUnconfined: true) : nil,
          client: WorkerClient(transport: connection, command: Self.command(configuration)), connection: connection)
      } catch {
        report(.host(configuration.name, "is left out: \(error)"))
      }
    }
  }

  static func connection(to configuration: HostConfiguration, loop: DescriptorLoop) throws -> HostConnection {
    guard let key = HostKeyFingerprint(configuration.hostKey) else {
      throw FarmError.usage("host \(configuration.name): '\(configuration.hostKey)' is not a host key fingerprint")
    }
    let identity: SSHDestination.Identity =
      switch configuration.identity {
      case .agent: .agent
      case .file(let path): .file(path)
      }
    guard let algorithms = SSHAlgorithms(adding: configuration.sshAlgorithms) else {
      throw FarmError.usage(
        "host \(configuration.name): 'sshAlgorithms' must be one or more of \(SSHAlgorithms.addable.joined(separator: ", ")); "
          + "its file says \(configuration.sshAlgorithms.joined(separator: ", "))")
    }
    return HostConnection(
      destination: SSHDestination(
        name: configuration.name.text, host: configuration.host, port: configuration.port, user: configuration.user, hostKey: key,
        identity: identity, algorithms: algorithms), loop: loop)
  }

  static func command(_ configuration: HostConfiguration) -> InstalledWorker {
    InstalledWorker(binary: "\(configuration.root)/bin/\(configuration.worker.hex)/blockfarm-worker", root: configuration.root)
  }

  /// Hosts whose last answer is old, or that were never asked; they count as being asked until ``ask(_:)`` has their answers.
  func due() -> [HostName] {
    let now = Timestamp.now
    let due = hosts.filter { _, host in
      host.leftOut == nil && !host.isBeingAsked && (host.probedAt.map { now.seconds(since: $0) > Self.probeAge } ?? true)
    }
    for name in due.keys { hosts[name]?.isBeingAsked = true }
    return due.keys.sorted()
  }

  /// Probes hosts, many at the same time; gives those that answered. One that is down takes its time, so nobody should wait for all of them.
  func ask(_ names: [HostName]) async -> [HostName] {
    let clients = names.compactMap { name in hosts[name].map { (name: name, client: $0.client, recorded: $0.configuration?.recordedWorker) } }
    return await clients.concurrentMap(atOnce: Self.probesAtOnce) { host in
      let answer = await Self.probe(host.client, recorded: host.recorded)
      await self.take(answer, of: host.name)
      return (try? answer.get()) == nil ? nil : host.name
    }.compactMap { $0 }
  }

  /// Takes over what other processes note in the state: hosts that were drained by hand, or taken back.
  func readNotes() async {
    guard let rows = try? await context.store.hosts() else { return }
    for (name, row) in rows where hosts[name] != nil {
      hosts[name]?.drained = row.drained
      guard let noted = try? CanonicalJSON.decode(HostHealth.self, from: row.health) else { continue }
      let known = hosts[name]?.health.consecutiveFailures ?? 0
      if noted.consecutiveFailures < known {
        hosts[name]?.backoffUntil = nil
        report(.host(name, "was taken back"))
      }
      hosts[name]?.health = noted
    }
  }

  /// Compares its worker with the recorded one, then asks: what the host is, and how many seconds its clock is ahead.
  static func probe(_ client: WorkerClient, recorded: Digest?) async -> Result<(ProbeReport, Double), any Error> {
    do {
      if let recorded { try await client.verifyInstalled(recorded) }
      let start = Timestamp.now
      let probe = try await client.probe()
      let middle = start.adding(seconds: Timestamp.now.seconds(since: start) / 2)
      return .success((probe, probe.clock.seconds(since: middle)))
    } catch {
      return .failure(error)
    }
  }

  func take(_ result: Result<(ProbeReport, Double), any Error>, of name: HostName) async {
    guard let old = hosts[name] else { return }
    hosts[name]?.isBeingAsked = false
    hosts[name]?.probedAt = .now
    switch result {
    case .success(let (probe, skew)):
      hosts[name]?.probe = probe
      hosts[name]?.clockSkew = skew
      hosts[name]?.down = nil
      if old.down != nil { report(.host(name, "answers again")) }
      if old.probe == nil, let warning = await old.connection?.algorithmWarning { report(.host(name, "warning: \(warning)")) }
    case .failure(let error) where error is CancellationError: break
    case .failure(let error):
      let known = error as? ExecutorError
      // What answers wrongly at the first time is no worker that will do; later on it is an outage, which attempts there wait out.
      if known?.needsConfiguration == true || (old.probe == nil && known?.isHostTrouble != true) {
        hosts[name]?.leftOut = "\(error)"
        report(.host(name, "is left out: \(error)"))
      } else {
        // The host is named by whoever shows the reason.
        let reason = if case .unreachable(_, let reason)? = known { reason } else { "\(error)" }
        hosts[name]?.down = reason
        if old.down == nil { report(.host(name, "does not answer: \(reason)")) }
      }
    }
  }

  func offers() -> [HostOffer] {
    hosts.map { name, host in
      let foreign = (host.probe?.attempts ?? []).filter { $0.state == .running && host.reserved[$0.attempt.slug] == nil }
      var offer = HostOffer(
        name: name, architectures: host.configuration?.architectures ?? Architecture.allCases,
        slots: host.configuration?.slots ?? localSlots, running: host.reserved.count + foreign.count,
        features: Self.features(of: host), freeDiskBytes: host.probe?.freeDiskBytes ?? 0, clockSkew: host.clockSkew,
        warmMachines: Set(host.probe?.cachedMachines ?? []), busyMachines: Set(host.reserved.values.map(\.machine.text)),
        availability: Self.availability(of: host, name), speed: host.configuration?.speed ?? 1,
        sandboxObstacle: host.probe.flatMap { $0.sandboxObstacle(named: name) })
      offer.isMakingRoom = host.isMakingRoom
      for reservation in host.reserved.values { offer.claim(diskBytes: reservation.diskBytes) }
      return offer
    }
  }

  private static func availability(of host: Host, _ name: HostName) -> HostOffer.Availability {
    let remedy = "; 'blockfarm worker resume \(name)' takes it back"
    if let reason = host.leftOut { return .leftOut(reason) }
    if let reason = host.drained { return .drained(reason + remedy) }
    if case .drained(let reason) = host.health.availability(now: .now, jitter: 0) { return .drained(reason + remedy) }
    if let reason = host.down { return .down(reason) }
    if let until = host.backoffUntil, until > .now { return .backingOff(until: until, host.health.lastReason + remedy) }
    return host.probe == nil ? .unasked : .ready
  }

  func client(_ name: HostName) -> WorkerClient? { hosts[name]?.client }
  func reserve(_ name: HostName, for slug: Slug, machine: Machine, diskBytes: Int64) {
    hosts[name]?.reserved[slug] = Reservation(machine: machine, diskBytes: diskBytes)
  }
  func release(_ name: HostName, from slug: Slug) { hosts[name]?.reserved[slug] = nil }

  /// Notes how an attempt ended for its host; a host that fails backs off, then is drained. What is not the host's fault changes nothing.
  func note(_ failure: Failure?, on name: HostName) async {
    guard var health = hosts[name]?.health else { return }
    if let failure {
      guard failure.blame == .host else { return }
      health.failed(failure.reason)
    } else {
      health.succeeded()
    }
    // Noted first: what is read back from the state in between must not look as if the host had been taken back.
    if let json = try? CanonicalJSON.encode(health) { try? await context.store.setHealth(json, of: name) }
    hosts[name]?.health = health
    if case .backingOff(let until, _) = health.availability(now: .now, jitter: Double.random(in: 0...1)) {
      hosts[name]?.backoffUntil = until
    } else {
      hosts[name]?.backoffUntil = nil
    }
    if health.consecutiveFailures == HostHealth.drainAfter {
      report(.host(name, "is drained after \(HostHealth.drainAfter) failures in a row; 'blockfarm worker resume \(name)' takes it back"))
    }
  }

  func disconnect() async {
    for host in hosts.values { await host.connection?.disconnect() }
  }
}
