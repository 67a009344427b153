import BuildModel
import CanonicalJSON
import FoundationEssentials
import Reports
import Scheduling
import Store

extension Farm {
  /// One device type's place in a request, as the database has it.
  package struct TaskStatus: Codable, Sendable {
    package var slug: Slug
    package var machine: Machine
    package var arch: Architecture
    /// waiting, running, or the outcome.
    package var state: String
    package var reason: String?
    package var host: HostName?
    package var attempts: Int
    package var waiting: [HostReason]
  }
  package struct RequestStatus: Codable, Sendable {
    package var version = 1
    package var request: RequestID
    package var createdAt: Timestamp
    package var endedAt: Timestamp?
    package var directory: String
    package var tasks: [TaskStatus]
  }

  /// The request that a person means: the given id (or its beginning), else the newest.
  package func request(_ text: String?) async throws -> RequestRecord {
    let known = try await context.store.requests(limit: 1000)
    guard !known.isEmpty else { throw FarmError.usage("there is no request yet; 'blockfarm build' makes one") }
    guard let text else { return known[0] }
    let found = known.filter { $0.id.text.hasPrefix(text.lowercased()) }
    if found.count == 1 { return found[0] }
    throw FarmError.usage(
      (found.isEmpty ? "unknown request '\(text)'" : "'\(text)' stands for several requests")
        + "; known: \((found.isEmpty ? known : found).prefix(5).map(\.id.text).joined(separator: ", "))")
  }

  package func status(_ request: RequestRecord) async throws -> RequestStatus {
    let attempts = try await context.store.attempts(of: request.id)
    let tasks = try await context.store.tasks(of: request.id).map { task in
      let own = attempts.filter { $0.id.slug == task.slug }
      let report = try task.record.map { try task.decode(DeviceTypeReport.self, from: $0, "report") }
      return TaskStatus(
        slug: task.slug, machine: task.machine, arch: task.arch, state: report?.outcome.rawValue ?? task.state.rawValue,
        reason: report?.reason, host: own.last?.host ?? report?.host, attempts: own.count,
        waiting: try task.decode([HostReason].self, from: task.waiting, "waiting reasons"))
    }
    return RequestStatus(
      request: request.id, createdAt: request.createdAt, endedAt: request.endedAt, directory: request.output + "/" + request.id.text,
      tasks: tasks)
  }

  /// Path of the coordinator's copy of the last (or the given) attempt's log.
  package func log(_ request: RequestRecord, slug text: String, attempt number: Int?) async throws -> String {
    let attempts = try await context.store.attempts(of: request.id)
    let slug = try? await deviceType(text, of: request)
    let own = attempts.filter { $0.id.slug == slug }
    guard let found = number.map({ wanted in own.first { $0.id.number == wanted } }) ?? own.last else {
      let known = Set(attempts.map { $0.id.slug.text }).sorted()
      guard !known.isEmpty else {
        throw FarmError.usage("request \(request.id) has no attempt yet, so '\(text)' has no log: everything was reused, or is still waiting")
      }
      throw FarmError.usage(
        "request \(request.id) has no \(number.map { "attempt \($0)" } ?? "attempt") of '\(text)'. It has attempts of: \(known.joined(separator: ", ")) ('blockfarm status' lists all device types)"
      )
    }
    return DeployTree(output: request.output, request: request.id).log(found.id)
  }

  /// Cancels a request: an engine that works on it ends it; without one, running attempts are ended on their hosts here.
  package func cancel(_ request: RequestRecord) async throws -> String {
    guard request.state == .running else { return "request \(request.id) has ended already" }
    try await context.store.requestCancel(request.id)
    guard let lock = try EngineLock(directory: context.configuration.state) else {
      return "request \(request.id) is being cancelled by the blockfarm that works on it"
    }
    defer { withExtendedLifetime(lock) {} }
    return try await cancelOrphans(of: request)
  }

  private func cancelOrphans(of request: RequestRecord) async throws -> String {
    let pool = HostPool(context: context) { _ in }
    await pool.useConfigured(context.configuration.hosts, mayGrow: false)
    var ended: [String] = []
    var unreachable: [String] = []
    for attempt in try await context.store.attempts(of: request.id) where [.dispatching, .running].contains(attempt.state) {
      do {
        if attempt.host == HostPool.localName { try await pool.useLocalHost(worker: FarmContext.localWorker(), slots: 1) }
        guard let client = await pool.client(attempt.host) else { throw FarmError.farm("host \(attempt.host) is not configured any more") }
        try await context.store.set(attempt.id, state: .cancelling)
        _ = try await client.cancel(attempt.id)
        try await context.store.set(attempt.id, state: .abandoned)
        ended.append("\(attempt.id.slug) on \(attempt.host)")
      } catch {
        unreachable.append("\(attempt.id.slug): \(error)")
      }
    }
    await pool.disconnect()
    for task in try await context.store.tasks(of: request.id) where task.record == nil {
      let report = DeviceTypeReport(
        slug: task.slug, machine: task.machine, arch: task.arch, version: "", outcome: .cancelled, reason: "cancelled", failure: .cancelled)
      try await context.store.end(request.id, task.slug, record: CanonicalJSON.encode(report))
    }
    try await context.store.end(request.id, at: .now)
    guard unreachable.isEmpty else { throw FarmError.farm("not everything could be ended:\n  " + unreachable.joined(separator: "\n  ")) }
    return "request \(request.id) is cancelled" + (ended.isEmpty ? "" : "; ended \(ended.joined(separator: ", "))")
  }
}

extension TaskRecord {
  /// A column that the store keeps as bytes.
  fileprivate func decode<Value: Decodable>(_ type: Value.Type, from column: [UInt8], _ name: String) throws(StoreError) -> Value {
    do { return try CanonicalJSON.decode(type, from: column) } catch {
      throw .corrupt(what: "the \(name) of \(slug) in request \(request)", reason: "\(error)")
    }
  }
}
