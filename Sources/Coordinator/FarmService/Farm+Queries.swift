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
    /// Whose fault a failure is.
    package var blame: Blame?
    package var host: HostName?
    package var attempts: Int
    package var waiting: [HostReason]

    /// The state, of a failure with whose fault it is.
    package var verdict: String {
      DeviceTypeReport.Result(rawValue: state).map { DeviceTypeReport.verdict($0, blame: blame, host: host) } ?? state
    }

    /// The verdict and why.
    package var end: String { DeviceTypeReport.end(verdict, reason) }
  }
  package struct RequestStatus: Codable, Sendable {
    package var version = 1
    package var request: RequestID
    package var createdAt: Timestamp
    package var endedAt: Timestamp?
    package var directory: String
    /// Whether a blockfarm works on the request now.
    package var isWorkedOn: Bool
    /// Why nobody works on a request that has not ended, and what to do; nil for every other one.
    package var note: String?
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
        reason: report?.reason, blame: report?.blame, host: own.last?.host ?? report?.host, attempts: own.count,
        waiting: try task.decode([HostReason].self, from: task.waiting, "waiting reasons"))
    }
    let engine = try EngineLock.standing(in: context.configuration.state)
    let isOpen = request.state == .running
    return RequestStatus(
      request: request.id, createdAt: request.createdAt, endedAt: request.endedAt, directory: request.output + "/" + request.id.text,
      isWorkedOn: isOpen && engine.worksOn(request.id), note: isOpen ? engine.note(on: request.id) : nil, tasks: tasks)
  }
}

extension TaskRecord {
  /// A column that the store keeps as bytes.
  func decode<Value: Decodable>(_ type: Value.Type, from column: [UInt8], _ name: String) throws(StoreError) -> Value {
    do { return try CanonicalJSON.decode(type, from: column) } catch {
      throw .corrupt(what: "the \(name) of \(slug) in request \(request)", reason: "\(error)")
    }
  }
}
