import BuildModel
import CanonicalJSON
import Delivery
import FoundationEssentials
import Planning
import Reports
import Store

extension Farm {
  /// Cancels a request: an engine that works on it ends it; without one, running attempts are ended on their hosts here.
  ///
  /// `ended` is given what became of every device type of a request that no engine works on, also where a host could not be reached.
  package func cancel(
    _ request: RequestRecord, ended: @Sendable (IndexDocument, DeployTree) async throws -> Void = { _, _ in }
  ) async throws -> String {
    let tree = DeployTree(output: request.output, request: request.id)
    guard request.state == .running else {
      try await ended(index(of: request), tree)
      return "request \(request.id) has ended already"
    }
    try await context.audit.append(AuditedAction(.cancel, request: request.id))
    try await context.store.requestCancel(request.id)
    let lock = try EngineLock(directory: context.configuration.state)
    if lock == nil {
      // An engine that has not chosen its request yet may choose this one.
      let engine = try EngineLock.standing(in: context.configuration.state)
      if engine.owner?.request == nil || engine.worksOn(request.id) {
        return "request \(request.id) is being cancelled by the blockfarm that works on it"
      }
    }
    defer { withExtendedLifetime(lock) {} }
    let (done, unreachable) = try await endOrphans(of: request)
    let index = try await index(of: request)
    try BlockLayout.write(index, tree: tree, blobs: context.blobs)
    try tree.finish(index)
    try await context.store.end(request.id, at: .now)
    try await ended(index, tree)
    guard unreachable.isEmpty else { throw FarmError.farm("not everything could be ended:\n  " + unreachable.joined(separator: "\n  ")) }
    return "request \(request.id) is cancelled" + (done.isEmpty ? "" : "; ended \(done.joined(separator: ", "))")
  }

  /// Ends what runs on the hosts, and every device type that has no end yet.
  private func endOrphans(of request: RequestRecord) async throws -> (ended: [String], unreachable: [String]) {
    let pool = HostPool(context: context) { _ in }
    await pool.useConfigured(context.configuration.hosts, mayGrow: false)
    var ended: [String] = []
    var unreachable: [String] = []
    let attempts = try await context.store.attempts(of: request.id)
    for attempt in attempts where [.dispatching, .running].contains(attempt.state) {
      do {
        if attempt.host == HostPool.localName { try await pool.useLocalHost(worker: FarmContext.localWorker(), slots: 1) }
        guard let client = await pool.client(attempt.host) else { throw FarmError.farm("host \(attempt.host) is not configured any more") }
        try await pool.verifyWorker(of: attempt.host)
        try await context.store.set(attempt.id, state: .cancelling)
        _ = try await client.cancel(attempt.id)
        try await context.store.set(attempt.id, state: .abandoned)
        try await context.store.noteCollected(attempt.id)
        await Acknowledgements(store: context.store).tell(attempt.id, host: attempt.host, client: client)
        ended.append("\(attempt.id.slug) on \(attempt.host)")
      } catch {
        unreachable.append("\(attempt.id.slug): \(error)")
      }
    }
    await pool.disconnect()
    for task in try await context.store.tasks(of: request.id) where task.record == nil {
      let report = try cancelled(task, attempts: attempts.filter { $0.id.slug == task.slug }, of: request)
      try await context.store.end(request.id, task.slug, record: CanonicalJSON.encode(report))
    }
    return (ended, unreachable)
  }

  private func cancelled(_ task: TaskRecord, attempts: [AttemptRecord], of request: RequestRecord) throws -> DeviceTypeReport {
    let planned = try task.decode(PlannedTask.self, from: task.planned, "plan")
    let progress = DeviceTypeProgress(task: planned, queuedAt: request.createdAt, attempts: attempts, notices: planned.notices)
    return progress.dated(progress.failed(Failure(kind: .cancelled, step: nil, reason: "cancelled")))
  }

  /// What became of every device type that was to be built, as the database has it.
  private func index(of request: RequestRecord) async throws -> IndexDocument {
    let tasks = try await context.store.tasks(of: request.id)
    let reports = try tasks.compactMap { task in try task.record.map { try task.decode(DeviceTypeReport.self, from: $0, "report") } }
    let planned = try tasks.first { !$0.planned.isEmpty }.map { try $0.decode(PlannedTask.self, from: $0.planned, "plan") }
    return IndexDocument(
      request: request.id, deviceTypes: reports, additionalVariables: planned?.settings.variables ?? [], problems: request.problems)
  }
}
