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
    var client: WorkerClient
    var connection: HostConnection?
    var probe: ProbeReport?
    var probedAt: Timestamp?
    var clockSkew = 0.0
    var leftOut: String?
    var health = HostHealth()
    var drained: String?
    var backoffUntil: Timestamp?
    /// Device types of ours that run there, with their machines.
    var reserved: [Slug: Machine] = [:]
  }

  private let context: FarmContext
  private var hosts: [HostName: Host] = [:]
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
  func useLocalHost(worker: String, slots: Int) throws {
    guard let name = Self.localName else { return }
    let root = context.configuration.state + "/local"
    hosts[name] = Host(
      configuration: nil,
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
          configuration: configuration,
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
    return HostConnection(
      destination: SSHDestination(
        name: configuration.name.text, host: configuration.host, port: configuration.port, user: configuration.user, hostKey: key,
        identity: identity), loop: loop)
  }

  static func command(_ configuration: HostConfiguration) -> InstalledWorker {
    InstalledWorker(binary: "\(configuration.root)/bin/\(configuration.worker.hex)/blockfarm-worker", root: configuration.root)
  }

  /// Probes every host whose last answer is old, many at the same time. One that does not answer is left out, with its reason.
  func refresh() async {
    let now = Timestamp.now
    let stale = hosts.filter { $0.value.leftOut == nil && ($0.value.probedAt.map { now.seconds(since: $0) > Self.probeAge } ?? true) }
    await stale.map { (name: $0.key, client: $0.value.client) }.concurrentMap(atOnce: Self.probesAtOnce) { host in
      await self.take(await Self.probe(host.client), of: host.name)
    }
  }

  /// What the host is, and how many seconds its clock is ahead.
  private static func probe(_ client: WorkerClient) async -> Result<(ProbeReport, Double), any Error> {
    let start = Timestamp.now
    do {
      let probe = try await client.probe()
      let middle = start.adding(seconds: Timestamp.now.seconds(since: start) / 2)
      return .success((probe, probe.clock.seconds(since: middle)))
    } catch {
      return .failure(error)
    }
  }

  private func take(_ result: Result<(ProbeReport, Double), any Error>, of name: HostName) async {
    let isFirst = hosts[name]?.probedAt == nil
    switch result {
    case .success(let (probe, skew)):
      hosts[name]?.probe = probe
      hosts[name]?.clockSkew = skew
      if isFirst, let row = try? await context.store.host(name) {
        hosts[name]?.drained = row.drained
        if let json = row.health, let health = try? CanonicalJSON.decode(HostHealth.self, from: json) { hosts[name]?.health = health }
      }
    case .failure(let error):
      if isFirst || (error as? ExecutorError)?.needsConfiguration == true {
        hosts[name]?.leftOut = "\(error)"
        report(.host(name, "is left out: \(error)"))
      } else {
        // A passing outage: attempts that run there wait it out, new ones go elsewhere for a while.
        hosts[name]?.backoffUntil = Timestamp.now.adding(seconds: 60)
        hosts[name]?.health.lastReason = "\(error)"
        report(.host(name, "does not answer: \(error)"))
      }
    }
    hosts[name]?.probedAt = .now
  }

  func offers() -> [HostOffer] {
    hosts.map { name, host in
      let now = Timestamp.now
      let availability: HostOffer.Availability =
        if let reason = host.leftOut { .leftOut(reason) } else if let reason = host.drained {
          .drained(reason)
        } else if host.health
          .consecutiveFailures >= HostHealth.drainAfter
        { host.health.availability(now: now, jitter: 0) } else if let until = host.backoffUntil, until > now {
          .backingOff(until: until, host.health.lastReason)
        } else { .ready }
      let foreign = (host.probe?.attempts ?? []).filter { $0.state == .running && host.reserved[$0.attempt.slug] == nil }
      return HostOffer(
        name: name, architectures: host.configuration?.architectures ?? Architecture.allCases,
        slots: host.configuration?.slots ?? localSlots, running: host.reserved.count + foreign.count,
        features: Set(host.probe?.features ?? []), freeDiskBytes: host.probe?.freeDiskBytes ?? 0, clockSkew: host.clockSkew,
        warmMachines: Set(host.probe?.cachedMachines ?? []), busyMachines: Set(host.reserved.values.map(\.text)),
        availability: availability, speed: host.configuration?.speed ?? 1)
    }
  }

  func client(_ name: HostName) -> WorkerClient? { hosts[name]?.client }
  func reserve(_ name: HostName, for slug: Slug, machine: Machine) { hosts[name]?.reserved[slug] = machine }
  func release(_ name: HostName, from slug: Slug) { hosts[name]?.reserved[slug] = nil }

  /// Notes how an attempt ended for its host; a host that fails backs off, then is drained.
  func note(_ failure: Failure?, on name: HostName) async {
    guard var host = hosts[name] else { return }
    switch failure?.kind {
    case .infrastructure, .lost:
      host.health.failed(failure?.reason ?? "")
      if case .backingOff(let until, _) = host.health.availability(now: .now, jitter: Double.random(in: 0...1)) { host.backoffUntil = until }
      if host.health.consecutiveFailures == HostHealth.drainAfter {
        report(.host(name, "is drained after \(HostHealth.drainAfter) failures in a row; 'blockfarm worker resume \(name)' takes it back"))
      }
    case nil: host.health.succeeded()
    default: return
    }
    hosts[name] = host
    if let json = try? CanonicalJSON.encode(host.health) { try? await context.store.setHealth(json, of: name) }
  }

  func disconnect() async {
    for host in hosts.values { await host.connection?.disconnect() }
  }
}
