import BlobStore
import Blocks
import BoundedConcurrency
import BuildModel
import CanonicalJSON
import CoordinatorConfiguration
import Delivery
import Executors
import FoundationEssentials
import Planning
import Reports
import Scheduling
import Store

/// Works on one request until every device type has its end. Lives in the process that holds the engine lock.
actor RequestRun {
  enum Finished: Sendable {
    case tick
    /// Hosts were asked; these have answered.
    case probed([HostName])
    /// A host heard what it may let go of, or could not be told.
    case acknowledged
    case attempt(Slug, HostName, AttemptRecord, Outcome, [StepResult], [DeviceTypeReport.File])
    case delivered(Slug, Result<EndedDeviceType, Failure>)
  }

  let context: FarmContext
  let request: RequestRecord
  let pool: HostPool
  private let tree: DeployTree
  private let bundles: SourceBundles
  private let registries: RegistryClients
  private let publishing: DeliveryPipeline.Publishing?
  /// Device types for which nothing is begun.
  private let refused: [Slug: Failure]
  /// Blocks are made although they are at hand.
  private let rebuildsBlocks: Bool
  /// A device type for which there is no host waits for one.
  private let waitsForHosts: Bool
  let report: @Sendable (FarmEvent) -> Void
  var work: [Slug: DeviceTypeProgress] = [:]
  var waiting: Set<Slug> = []
  var reports: [Slug: DeviceTypeReport] = [:]
  /// The same as canonical JSON, of those that ended in this run.
  private(set) var records: [Slug: [UInt8]] = [:]
  var isCancelled = false
  /// Contacts with hosts about outcomes that are under way.
  var acknowledging = 0
  /// Device types whose parts are all there, on the coordinator alone. They may be cut off anywhere: what they do can be repeated.
  var deliveries: [Slug: Task<Result<EndedDeviceType, Failure>, Never>] = [:]
  /// Device types that are begun one after the other, because the coordinator crashed when it worked on them; and the one that is in hand.
  var suspects: [Slug] = []
  var suspectInHand: Slug?
  /// Whether some device type ended because no host was left.
  private(set) var hasNoHost = false

  init(
    context: FarmContext, request: RequestRecord, plan: Plan, pool: HostPool, registries: RegistryClients,
    publishing: DeliveryPipeline.Publishing?,
    refused: [Slug: Failure], rebuildsBlocks: Bool, waitsForHosts: Bool, report: @escaping @Sendable (FarmEvent) -> Void
  ) {
    self.refused = refused
    self.rebuildsBlocks = rebuildsBlocks
    self.waitsForHosts = waitsForHosts
    self.registries = registries
    self.publishing = publishing
    self.context = context
    self.request = request
    self.pool = pool
    self.report = report
    tree = DeployTree(output: request.output, request: request.id)
    bundles = SourceBundles(plan.locations, scratch: context.scratch)
    for task in plan.tasks { work[task.slug] = DeviceTypeProgress(task: task, queuedAt: .now, notices: task.notices) }
    for ended in plan.endedReports { reports[ended.slug] = ended }
  }

  /// Runs to the end and returns what became of every device type. An interruption or `blockfarm cancel` ends it on the workers in order.
  func run() async throws -> [DeviceTypeReport] {
    for report in reports.values { self.report(.ended(report)) }
    let slugs = work.keys.sorted()
    try await giveUpAfterCrashes()
    try await prepare(slugs.filter { reports[$0] == nil })
    try await withThrowingTaskGroup(of: Finished.self) { group in
      for (slug, failure) in refused { try await fail(slug, failure) }
      let begun = slugs.filter { reports[$0] == nil && !suspects.contains($0) }
      try await context.store.takeInHand(request.id, begun)
      for slug in begun { try await begin(slug, in: &group) }
      addTick(to: &group)
      while reports.count < slugs.count + skippedCount {
        try await beginNextSuspect(in: &group)
        if !waiting.isEmpty { try await schedule(in: &group) }
        guard reports.count < slugs.count + skippedCount, let finished = try await group.next() else { break }
        switch finished {
        case .tick:
          try await checkCancellation()
          addTick(to: &group)
        case .probed(let hosts): await acknowledge(to: hosts, in: &group)
        case .acknowledged: acknowledging -= 1
        case .attempt(let slug, let host, let attempt, let outcome, let steps, let logs):
          await pool.release(host, from: slug)
          work[slug]?.taskLogs += logs
          try await attemptEnded(slug, host, attempt, outcome, steps, in: &group)
          try await acknowledge(attempt.id, on: host, in: &group)
        case .delivered(let slug, let result): try await delivered(slug, result)
        }
      }
      try await awaitAcknowledgements(in: &group)
      group.cancelAll()
    }
    return reports.values.sorted { $0.slug < $1.slug }
  }

  private var pipeline: DeliveryPipeline {
    DeliveryPipeline(
      context: context.delivery, tree: tree, registries: registries, publishing: publishing,
      report: { [report] event in report(FarmEvent(event)) })
  }

  private var skippedCount: Int { reports.values.count { work[$0.slug] == nil } }

  /// Looks up what earlier requests made, how long it took, and what a killed coordinator left behind.
  private func prepare(_ slugs: [Slug]) async throws {
    let (store, reusable, request, rebuildsBlocks) = (context.store, PartStore(context.delivery), request.id, rebuildsBlocks)
    let known = try await slugs.compactMap({ work[$0] }).concurrentMap(atOnce: Processors.available) { item in
      var item = item
      item.parts.system = try await reusable.system(item.task)
      item.parts.blocks = item.task.builtBlocks.isEmpty || rebuildsBlocks ? nil : try await reusable.blocks(item.task)
      item.expectedSeconds = try await store.lastSeconds(of: item.task.slug)
      item.attempts = try await store.attempts(of: request, slug: item.task.slug)
      for attempt in item.attempts {
        guard let failure = attempt.outcome?.failure else { continue }
        item.avoid.insert(attempt.host)
        if failure.kind == .fetch { item.fetchFailures[attempt.host] = failure }
      }
      return item
    }
    for item in known { work[item.task.slug] = item }
  }

  func needs(_ item: DeviceTypeProgress) -> (system: Bool, blocks: Bool) {
    (item.task.system != nil && item.parts.system == nil, !item.task.builtBlocks.isEmpty && item.parts.blocks == nil)
  }

  func begin(_ slug: Slug, in group: inout ThrowingTaskGroup<Finished, any Error>) async throws {
    guard let item = work[slug] else { return }
    let needs = needs(item)
    if !needs.system, !needs.blocks {
      deliver(slug, in: &group)
    } else if let open = item.attempts.last(where: { [.dispatching, .running].contains($0.state) }),
      let client = await pool.client(open.host)
    {
      await pool.reserve(open.host, for: slug, machine: item.task.deviceType.yocto.machine, diskBytes: open.spec.limits.diskBytes ?? 0)
      report(.dispatched(slug, open.host, attempt: open.id.number))
      drive(open, task: item.task, client: client, in: &group)
    } else if let ended = item.attempts.last, ended.state == .ended, let outcome = ended.outcome, let client = await pool.client(ended.host) {
      // The coordinator died between the outcome and the fetching of its blobs.
      await pool.reserve(ended.host, for: slug, machine: item.task.deviceType.yocto.machine, diskBytes: 0)
      collect(outcome, of: ended, task: item.task, client: client, in: &group)
    } else {
      waiting.insert(slug)
      try await context.store.putBack(request.id, slug)
    }
  }

  // MARK: scheduling

  private func schedule(in group: inout ThrowingTaskGroup<Finished, any Error>) async throws {
    await pool.readNotes()
    askHosts(await pool.due(), in: &group)
    var needs: [TaskNeed] = []
    for slug in waiting { if let item = work[slug] { needs.append(try await need(of: item)) } }
    makeRoom(await pool.shortOfRoom(for: needs), in: &group)
    let decisions = Scheduler.decide(
      tasks: needs, hosts: await pool.offers(), now: .now, queueWait: context.configuration.queueWait, waitsForHosts: waitsForHosts)
    for decision in decisions {
      switch decision {
      case .dispatch(let slug, let host): try await dispatch(slug, to: host, in: &group)
      case .wait(let slug, let lacks): try await wait(slug, lacks)
      case .giveUp(let slug, let reason, let blame, let lacks):
        hasNoHost = true
        let details = lacks.map { "\($0.host): \($0.reason.reasons.joined(separator: "; "))" }
        try await fail(slug, Failure(kind: .infrastructure, step: nil, reason: reason, details: details, blame: blame))
      }
    }
  }

  /// Keeps the reasons up to date for `explain`, and reports each thing that is waited for once.
  private func wait(_ slug: Slug, _ lacks: [HostLacks]) async throws {
    let reasons = lacks.map(\.reason)
    if work[slug]?.lastWaiting != reasons {
      work[slug]?.lastWaiting = reasons
      try await context.store.update(request.id, slug, state: .waiting, waiting: CanonicalJSON.encode(reasons))
    }
    let serving = lacks.filter(\.servesArchitecture)
    let shown = serving.isEmpty ? lacks : serving
    // What the hosts are is known in a moment.
    guard !shown.contains(where: { $0.obstacles.contains(.unasked) }) else { return }
    let kinds = shown.map { "\($0.host) \($0.obstacles.map(\.kind).joined(separator: " "))" }
    if work[slug]?.announced.insert(kinds).inserted == true { report(.waiting(slug, shown.map(\.reason))) }
  }

  private func dispatch(_ slug: Slug, to host: HostName, in group: inout ThrowingTaskGroup<Finished, any Error>) async throws {
    guard let item = work[slug], let client = await pool.client(host) else { return }
    waiting.remove(slug)
    let needs = needs(item)
    let id = AttemptID(request: request.id, slug: slug, number: (item.attempts.map(\.id.number).max() ?? 0) + 1)
    var limits = context.configuration.limits
    limits.diskBytes = try await disk(of: item).bytes
    var spec = item.task.spec(attempt: id, limits: limits, buildsBlocks: needs.blocks, buildsSystem: needs.system)
    spec.confinement = await pool.confinement(host)
    let attempt = AttemptRecord(id: id, host: host, spec: spec, startedAt: .now)
    try await context.store.add(attempt)
    try await context.store.takeInHand(request.id, [slug])
    try await context.store.update(request.id, slug, state: .running, waiting: Array("[]".utf8))
    work[slug]?.attempts.append(attempt)
    work[slug]?.lastWaiting = []
    await pool.reserve(host, for: slug, machine: item.task.deviceType.yocto.machine, diskBytes: spec.limits.diskBytes ?? 0)
    report(.dispatched(slug, host, attempt: id.number))
    drive(attempt, task: item.task, client: client, in: &group)
  }

  private func drive(
    _ attempt: AttemptRecord, task: PlannedTask, client: WorkerClient, in group: inout ThrowingTaskGroup<Finished, any Error>
  ) {
    let driver = AttemptDriver(context: context, tree: tree, bundles: bundles, report: report)
    let pipeline = pipeline
    group.addTask {
      let outcome = await driver.run(attempt, client: client)
      return await Self.collected(outcome, of: attempt, task: task, client: client, pipeline: pipeline)
    }
  }

  private func collect(
    _ outcome: Outcome, of attempt: AttemptRecord, task: PlannedTask, client: WorkerClient,
    in group: inout ThrowingTaskGroup<Finished, any Error>
  ) {
    let pipeline = pipeline
    group.addTask { await Self.collected(outcome, of: attempt, task: task, client: client, pipeline: pipeline) }
  }

  private static func collected(
    _ outcome: Outcome, of attempt: AttemptRecord, task: PlannedTask, client: WorkerClient, pipeline: DeliveryPipeline
  ) async -> Finished {
    guard outcome.failure == nil else {
      return .attempt(task.slug, attempt.host, attempt, outcome, [], await pipeline.taskLogs(of: outcome, attempt: attempt.id, client: client))
    }
    do {
      let steps = try await pipeline.collect(outcome, of: task, spec: attempt.spec, host: attempt.host, client: client)
      return .attempt(task.slug, attempt.host, attempt, outcome, steps, [])
    } catch {
      var refused = outcome
      refused.failure = Failure(collecting: error)
      return .attempt(task.slug, attempt.host, attempt, refused, [], [])
    }
  }

  // MARK: ends

  private func attemptEnded(
    _ slug: Slug, _ host: HostName, _ attempt: AttemptRecord, _ outcome: Outcome, _ steps: [StepResult],
    in group: inout ThrowingTaskGroup<Finished, any Error>
  ) async throws {
    guard var item = work[slug], reports[slug] == nil else { return }
    await pool.note(outcome.failure, on: host)
    item.steps += outcome.steps + steps
    // What failed is named even when the next attempt is cancelled.
    if outcome.failure != nil, let place = item.attempts.firstIndex(where: { $0.id == attempt.id }) { item.attempts[place].outcome = outcome }
    item.isolation = outcome.isolation ?? item.isolation
    work[slug] = item
    guard var failure = outcome.failure else {
      try await chargeFetchFailures(of: slug, builtOn: host)
      let reusable = PartStore(context.delivery)
      work[slug]?.parts.system = try await reusable.system(item.task)
      work[slug]?.parts.blocks = item.task.builtBlocks.isEmpty ? nil : try await reusable.blocks(item.task)
      for block in outcome.blocks { work[slug]?.notices += block.notices.map { "block \(block.name): \($0)" } }
      deliver(slug, in: &group)
      return
    }
    work[slug]?.avoid.insert(host)
    if failure.kind == .fetch { work[slug]?.fetchFailures[host] = failure }
    if !isCancelled, RetryRule.next(after: failure, attempts: item.attempts.count) == .another, try await hasAnotherHost(slug, after: failure) {
      waiting.insert(slug)
      try await context.store.putBack(request.id, slug)
      let isElsewhere = Scheduler.hasAnother(for: try await need(of: item, avoiding: host), hosts: await pool.offers(), now: .now)
      report(.retrying(slug, on: isElsewhere ? nil : host, failure.reason))
    } else {
      let hosts = work[slug]?.fetchFailures.keys.sorted() ?? []
      if failure.kind == .fetch, hosts.count > 1 { failure.reason += " (tried on \(hosts.map(\.text).joined(separator: " and ")))" }
      try await fail(slug, failure)
    }
  }

  /// What cannot be fetched is tried again on another host alone: the same one would show nothing. What a host did may go well there the next time.
  private func hasAnotherHost(_ slug: Slug, after failure: Failure) async throws -> Bool {
    guard failure.kind == .fetch else { return true }
    guard let item = work[slug] else { return false }
    return Scheduler.hasAnother(for: try await need(of: item), hosts: await pool.offers(), now: .now)
  }

  /// What could not be fetched on one host came on another one: the first host is at fault.
  private func chargeFetchFailures(of slug: Slug, builtOn host: HostName) async throws {
    for (first, failure) in work[slug]?.fetchFailures ?? [:] where first != host {
      let charge = Failure(kind: .infrastructure, step: failure.step, reason: "\(failure.reason) (host \(host) could fetch it)")
      await pool.note(charge, on: first)
      let notice = "host \(first) could not fetch what host \(host) could: \(failure.reason)"
      work[slug]?.notices.append(notice)
      report(.taskNotice(slug, notice))
    }
  }

  private func deliver(_ slug: Slug, in group: inout ThrowingTaskGroup<Finished, any Error>) {
    work[slug]?.deliveryBegan = .now
    guard let item = work[slug] else { return }
    let pipeline = pipeline
    let delivery = Task { await Self.delivery(of: item, pipeline) }
    deliveries[slug] = delivery
    group.addTask {
      await withTaskCancellationHandler {
        .delivered(slug, await delivery.value)
      } onCancel: {
        delivery.cancel()
      }
    }
  }

  /// Lays a device type out and publishes it. What could not be published is delivered all the same, as a failure with all its files.
  private static func delivery(of item: DeviceTypeProgress, _ pipeline: DeliveryPipeline) async -> Result<EndedDeviceType, Failure> {
    var delivered: DeliveredDeviceType
    do {
      delivered = try await pipeline.deliver(item.task, item.parts)
    } catch {
      var failure = Failure(cause: error)
      if failure.kind != .cancelled { failure.step = failure.step ?? .preload }
      return .failure(failure)
    }
    var unpublished: Failure?
    do {
      try await pipeline.publish(item.task, &delivered, system: item.parts.system)
    } catch {
      var failure = Failure(cause: error)
      failure.step = failure.step ?? .publish
      delivered.steps.append(StepResult(name: .publish, outcome: .failed, seconds: 0))
      unpublished = failure
    }
    do { return .success(try EndedDeviceType(item.dated(item.report(delivered, failure: unpublished)))) } catch {
      return .failure(Failure(cause: error))
    }
  }

  private func delivered(_ slug: Slug, _ result: Result<EndedDeviceType, Failure>) async throws {
    deliveries[slug] = nil
    switch result {
    case .success(let ended): try await end(slug, ended)
    case .failure(let failure): try await fail(slug, failure)
    }
  }

  func fail(_ slug: Slug, _ failure: Failure) async throws {
    if let item = work[slug] { try await end(slug, EndedDeviceType(item.dated(item.failed(failure)))) }
  }

  private func end(_ slug: Slug, _ ended: EndedDeviceType) async throws {
    guard reports[slug] == nil else { return }
    waiting.remove(slug)
    reports[slug] = ended.report
    records[slug] = ended.record
    try await context.store.end(request.id, slug, record: ended.record)
    report(.ended(ended.report))
  }

  // MARK: ticking

  func addTick(to group: inout ThrowingTaskGroup<Finished, any Error>) {
    group.addTask {
      try? await Task.sleep(for: .seconds(1))
      return .tick
    }
  }
}
