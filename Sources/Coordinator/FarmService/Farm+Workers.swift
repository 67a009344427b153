import BlobStore
import BoundedConcurrency
import BuildModel
import CoordinatorConfiguration
import Executors
import FoundationEssentials
import Glibc
import Reports
import Store

extension Farm {
  /// A host that is to be added, before anything of it is known but its address.
  package struct NewHost: Sendable {
    package var user: String
    package var host: String
    package var port: UInt16
    package var name: HostName
    package var identity: HostConfiguration.Identity
    package var root: String
    /// nil: what the host's kernel is proposed for.
    package var architectures: [Architecture]?
    /// nil: one slot for every four cores, at least one.
    package var slots: Int?

    package init(
      user: String, host: String, port: UInt16, name: HostName, identity: HostConfiguration.Identity, root: String,
      architectures: [Architecture]?, slots: Int?
    ) {
      self.user = user
      self.host = host
      self.port = port
      self.name = name
      self.identity = identity
      self.root = root
      self.architectures = architectures
      self.slots = slots
    }
  }

  /// What a host says of itself now.
  package struct HostCheck: Codable, Sendable {
    package var name: HostName
    package var address: String
    package var architectures: [Architecture]
    package var slots: Int
    /// nil when the host is fine.
    package var problem: String?
    /// What works and should be changed all the same; nil: nothing.
    package var warning: String?
    package var drained: String?
    /// What its sshd allows, where that is less than one session of ours would use; nil where it is enough.
    package var sessions: SessionLimit?
    package var probe: ProbeReport?
    package var seconds: Double
  }

  /// Asks a host for its key without logging in.
  package func scanKey(of host: NewHost) async throws -> (fingerprint: String, type: String) {
    let key = try await scanHostKey(host: host.host, port: host.port, loop: context.loop)
    return (key.fingerprint.text, key.type)
  }

  /// Installs the worker binary on the host, probes it and writes `workers.d/<name>.yaml`.
  package func addWorker(_ new: NewHost, fingerprint: String, binary: String) async throws -> (
    HostConfiguration, ProbeReport, SessionLimit?, file: String
  ) {
    guard HostKeyFingerprint(fingerprint) != nil else {
      throw FarmError.usage("'\(fingerprint)' is not a host key fingerprint; 'ssh-keygen -l -f <host key>.pub' prints it as SHA256:…")
    }
    do {
      let digest = try await WorkerInstaller.digest(of: binary)
      var configuration = HostConfiguration(
        name: new.name, host: new.host, port: new.port, user: new.user, hostKey: fingerprint, identity: new.identity, architectures: [],
        slots: 1, root: new.root, worker: digest)
      let connection = try HostPool.connection(to: configuration, loop: context.loop)
      let (_, probe) = try await WorkerInstaller(transport: connection, root: new.root).install(binary: binary)
      configuration.slots = new.slots ?? max(1, probe.cores / 4)
      let sessions = try await SessionLimit.measure(connection, slots: configuration.slots)
      await connection.disconnect()
      if let sessions, sessions.isTooLow { throw FarmError.usage("\(new.name) is not added: \(sessions)") }
      configuration.architectures = new.architectures ?? Architecture.proposed(forKernel: probe.kernelMachine)
      guard !configuration.architectures.isEmpty else {
        throw FarmError.usage(
          "nothing can be proposed for a host whose kernel calls itself \(probe.kernelMachine); name its architectures with --architectures")
      }
      try context.make()
      try await context.audit.append(AuditedAction(.addWorker, subjects: [new.name.text, "\(new.user)@\(new.host):\(new.port)"]))
      let file = "\(context.configuration.hostDirectory)/\(new.name).yaml"
      try DeployTree.write(Array(configuration.yaml.utf8), to: file)
      return (configuration, probe, sessions, file)
    } catch let error as any BlamedError where error.blame == .request {
      throw error
    } catch {
      throw FarmError.farm("\(new.name) is not added: \(error)")
    }
  }

  /// Probes hosts at the same time; a host that does not answer is a result, not an error.
  package func checkWorkers(_ names: [String]) async throws -> [HostCheck] {
    let hosts = try Self.select(names, from: context.configuration.hostFiles)
    let context = context
    return await hosts.concurrentMap(atOnce: HostPool.probesAtOnce) { await Self.check($0, context) }.sorted { $0.name < $1.name }
  }

  private static func check(_ host: HostConfiguration, _ context: FarmContext) async -> HostCheck {
    let start = Timestamp.now
    let drained = await Self.noted(of: host.name, context).drained
    var check = HostCheck(
      name: host.name, address: "\(host.user)@\(host.host):\(host.port)", architectures: host.architectures, slots: host.slots,
      drained: drained, seconds: 0)
    do {
      let connection = try HostPool.connection(to: host, loop: context.loop)
      check.sessions = try await SessionLimit.measure(connection, slots: host.slots)
      if check.sessions?.isTooLow == true { check.problem = check.sessions.map { "host \(host.name): \($0)" } }
      let client = WorkerClient(transport: connection, command: HostPool.command(host))
      if let recorded = host.recordedWorker { try await client.verifyInstalled(recorded) }
      let probe = try await client.probe()
      check.probe = probe
      if !host.isUnconfined, let obstacle = probe.sandboxObstacle(named: host.name) {
        check.problem = "host \(host.name) runs no build without a sandbox: \(obstacle)"
      }
      check.warning = await connection.algorithmWarning
      await connection.disconnect()
    } catch {
      check.problem = "\(error)"
    }
    check.seconds = Timestamp.now.seconds(since: start)
    return check
  }

  /// Runs the probe verb many times over open connections, spread over the hosts; returns the seconds for all.
  package func repeatProbe(_ names: [String], count: Int, parallel: Int) async throws -> Double {
    let hosts = try Self.select(names, from: context.configuration.hostFiles)
    guard !hosts.isEmpty else { throw FarmError.usage("no host is configured") }
    let connections = try hosts.map { host in (try HostPool.connection(to: host, loop: context.loop), HostPool.command(host)) }
    let start = Timestamp.now
    try await (0..<count).concurrentMap(atOnce: parallel) { index in
      let (connection, command) = connections[index % connections.count]
      _ = try await WorkerClient(transport: connection, command: command).probe()
    }
    let seconds = Timestamp.now.seconds(since: start)
    for (connection, _) in connections { await connection.disconnect() }
    return seconds
  }

  /// Sends a file to a host's blob store and fetches it back; returns the seconds of both ways. For measuring.
  package func transfer(_ file: String, host name: String) async throws -> (put: Double, get: Double, bytes: Int64) {
    guard let host = try Self.select([name], from: context.configuration.hostFiles).first else { throw FarmError.usage("no host") }
    try context.make()
    let work = context.scratch + "/transfer-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: work) }
    try FileManager.default.createDirectory(atPath: work, withIntermediateDirectories: true)
    let (source, target) = (try BlobStore(root: work + "/a"), try BlobStore(root: work + "/b"))
    let blob = try await BlockingWork.run { try source.put(file: file) }
    let connection = try HostPool.connection(to: host, loop: context.loop)
    let client = WorkerClient(transport: connection, command: HostPool.command(host))
    if let recorded = host.recordedWorker { try await client.verifyInstalled(recorded) }
    _ = try await client.probe()
    let start = Timestamp.now
    _ = try await client.putBlobs([blob], from: source)
    let middle = Timestamp.now
    _ = try await client.fetchBlobs([blob], into: target)
    let end = Timestamp.now
    await connection.disconnect()
    return (middle.seconds(since: start), end.seconds(since: middle), blob.size)
  }

  /// Drains a host (with a reason) or takes it back (nil), with all that is noted about it. `local` is this machine, as builds on it call it.
  package func setDrained(_ reason: String?, host name: String) async throws -> HostName {
    let isLocal = name == HostPool.localName?.text && !context.configuration.hosts.contains { $0.name.text == name }
    let known = isLocal ? HostPool.localName : try Self.select([name], from: context.configuration.hostFiles).first?.name
    guard let host = known else { throw FarmError.usage("no host '\(name)'") }
    try context.make()
    try await context.audit.append(AuditedAction(reason == nil ? .resumeWorker : .drainWorker, subjects: [host.text]))
    try await context.store.setDrained(reason, of: host)
    return host
  }

  /// Forgets a host: its file goes, what is on the host stays. Returns the file.
  package func removeWorker(_ host: HostConfiguration) async throws -> String {
    let file = "\(context.configuration.hostDirectory)/\(host.name).yaml"
    try context.make()
    try await context.audit.append(AuditedAction(.removeWorker, subjects: [host.name.text]))
    guard unlink(file) == 0 else { throw FarmError.usage("\(file): \(String(cString: strerror(errno)))") }
    return file
  }
}
