import BoundedConcurrency
import BuildModel
import CoordinatorConfiguration
import Executors
import Store

extension Farm {
  /// What a host freed.
  package struct HostGarbage: Codable, Sendable {
    package var name: HostName
    /// Outcomes that the host lets go of since now: it had not heard that they are stored here.
    package var acknowledged: Int
    /// nil when the host could not do it.
    package var freedBytes: Int64?
    package var freeDiskBytes: Int64?
    /// What still uses the disk; nil where the host does not tell, as earlier workers do not.
    package var uses: [DiskUse]?
    /// nil when all went well.
    package var problem: String?
    package var seconds: Double
  }

  /// Tells hosts which outcomes are stored here and lets them remove what nobody needs. `local` is this machine as `build --local` uses it.
  /// A host that does not answer is a result, not an error.
  package func collectGarbage(_ names: [String]) async throws -> [HostGarbage] {
    let local = HostPool.localName.flatMap { names.contains($0.text) ? $0 : nil }
    let remote = names.filter { $0 != local?.text }
    let hosts = names.isEmpty || !remote.isEmpty ? try Self.select(remote, from: context.configuration.hostFiles) : []
    try context.make()
    try await context.audit.append(AuditedAction(.collectGarbage, subjects: (hosts.map(\.name) + (local.map { [$0] } ?? [])).map(\.text)))
    let pool = HostPool(context: context) { _ in }
    await pool.useConfigured(hosts, mayGrow: false)
    if local != nil { try await pool.useLocalHost(worker: FarmContext.localWorker(), slots: 1) }
    let store = context.store
    let results = await (hosts.map(\.name) + (local.map { [$0] } ?? [])).concurrentMap(atOnce: HostPool.probesAtOnce) { name in
      await Self.collectGarbage(of: name, in: pool, Acknowledgements(store: store))
    }
    await pool.disconnect()
    return results.sorted { $0.name < $1.name }
  }

  private static func collectGarbage(of name: HostName, in pool: HostPool, _ acknowledgements: Acknowledgements) async -> HostGarbage {
    let start = Timestamp.now
    var result = HostGarbage(name: name, acknowledged: 0, seconds: 0)
    if let client = await pool.client(name) {
      do {
        try await pool.verifyWorker(of: name)
        result.acknowledged = await acknowledgements.tellAll(name, client: client)
        result.freedBytes = try await client.collectGarbage()
        result.freeDiskBytes = try await client.probe().freeDiskBytes
        result.uses = try? await client.diskUse()
      } catch {
        result.problem = "\(error)"
      }
    } else {
      result.problem = "host \(name) cannot be used as it is configured; 'blockfarm worker check \(name)' says why"
    }
    result.seconds = Timestamp.now.seconds(since: start)
    return result
  }
}
