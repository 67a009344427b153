import BlobStore
import Blocks
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
  /// A device type on its way.
  struct DeviceTypeProgress {
    var task: PlannedTask
    var parts = DeviceTypeParts()
    var queuedAt: Timestamp
    var attempts: [AttemptRecord] = []
    var avoid: Set<HostName> = []
    var expectedSeconds: Double?
    var steps: [StepResult] = []
    /// The own logs of tasks that failed, of all attempts.
    var taskLogs: [DeviceTypeReport.File] = []
    var notices: [String] = []
    var lastWaiting: [HostReason] = []
  }

  private enum Finished: Sendable {
    case tick
    case attempt(Slug, HostName, AttemptRecord, Outcome, [StepResult], [DeviceTypeReport.File])
    case delivered(Slug, Result<DeviceTypeReport, Failure>)
  }

  private let context: FarmContext
  private let request: RequestRecord
  private let pool: HostPool
  private let tree: DeployTree
  private let bundles: SourceBundles
  private let registries: RegistryClients
  private let publishing: DeliveryPipeline.Publishing?
  /// Device types for which nothing is begun.
  private let refused: [Slug: Failure]
  /// Blocks are made although they are at hand.
  private let rebuildsBlocks: Bool
  private let report: @Sendable (FarmEvent) -> Void
  private var work: [Slug: DeviceTypeProgress] = [:]
  private var waiting: Set<Slug> = []
  private var reports: [Slug: DeviceTypeReport] = [:]
  private var isCancelled = false
  /// Device types whose parts are all there, on the coordinator alone. They may be cut off anywhere: what they do can be repeated.
  private var deliveries: [Slug: Task<Result<DeviceTypeReport, Failure>, Never>] = [:]
  /// Whether some device type ended because no host was left.
  private(set) var hasNoHost = false

  init(
    context: FarmContext, request: RequestRecord, plan: Plan, pool: HostPool, registries: RegistryClients,
    publishing: DeliveryPipeline.Publishing?,
    refused: [Slug: Failure], rebuildsBlocks: Bool, report: @escaping @Sendable (FarmEvent) -> Void
  ) {
    self.refused = refused
    self.rebuildsBlocks = rebuildsBlocks
    self.registries = registries
    self.publishing = publishing
    self.context = context
    self.request = request
    self.pool = pool
    self.report = report
    tree = DeployTree(output: request.output, request: request.id)
    bundles = SourceBundles(plan.locations, scratch: context.scratch)
    for task in plan.tasks { work[task.slug] = DeviceTypeProgress(task: task, queuedAt: .now, notices: task.notices) }
    for failed in plan.failed {
      reports[failed.slug] = DeviceTypeReport(
        slug: failed.slug, machine: failed.machine, arch: failed.arch, version: failed.osVersion, outcome: .failed, reason: failed.reason,
        failure: .rejected)
    }
    for skipped in plan.skipped {
      reports[skipped.slug] = DeviceTypeReport(
        slug: skipped.slug, machine: skipped.machine, arch: skipped.arch, version: skipped.osVersion, outcome: .skipped, reason: skipped.reason)
    }
  }

  /// Runs to the end and returns what became of every device type. An interruption or `blockfarm cancel` ends it on the workers in order.
  func run() async throws -> [DeviceTypeReport] {
    for report in reports.values { self.report(.ended(report)) }
    let slugs = work.keys.sorted()
    try await prepare(slugs)
    try await withThrowingTaskGroup(of: Finished.self) { group in
      for (slug, failure) in refused { try await fail(slug, failure) }
      for slug in slugs where reports[slug] == nil { try await begin(slug, in: &group) }
      addTick(to: &group)
      while reports.count < slugs.count + skippedCount {
        if !waiting.isEmpty { try await schedule(in: &group) }
        guard reports.count < slugs.count + skippedCount, let finished = try await group.next() else { break }
        switch finished {
        case .tick:
          try await checkCancellation()
          addTick(to: &group)
        case .attempt(let slug, let host, let attempt, let outcome, let steps, let logs):
          await pool.release(host, from: slug)
          work[slug]?.taskLogs += logs
          try await attemptEnded(slug, host, attempt, outcome, steps, in: &group)
        case .delivered(let slug, let result): try await delivered(slug, result)
        }
      }
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
    let reusable = PartStore(context.delivery)
    for slug in slugs {
      guard var item = work[slug] else { continue }
      item.parts.system = try await reusable.system(item.task)
      item.parts.blocks = item.task.builtBlocks.isEmpty || rebuildsBlocks ? nil : try await reusable.blocks(item.task)
      item.expectedSeconds = try await context.store.lastSeconds(of: slug)
      item.attempts = try await context.store.attempts(of: request.id, slug: slug)
      work[slug] = item
    }
  }

  private func needs(_ item: DeviceTypeProgress) -> (system: Bool, blocks: Bool) {
    (item.task.system != nil && item.parts.system == nil, !item.task.builtBlocks.isEmpty && item.parts.blocks == nil)
  }

  private func begin(_ slug: Slug, in group: inout ThrowingTaskGroup<Finished, any Error>) async throws {
    guard let item = work[slug] else { return }
    let needs = needs(item)
    if !needs.system, !needs.blocks {
      deliver(slug, in: &group)
    } else if let open = item.attempts.last(where: { [.dispatching, .running].contains($0.state) }),
      let client = await pool.client(open.host)
    {
      await pool.reserve(open.host, for: slug, machine: item.task.deviceType.yocto.machine)
      report(.dispatched(slug, open.host, attempt: open.id.number))
      drive(open, task: item.task, client: client, in: &group)
    } else if let ended = item.attempts.last, ended.state == .ended, let outcome = ended.outcome, let client = await pool.client(ended.host) {
      // The coordinator died between the outcome and the fetching of its blobs.
      await pool.reserve(ended.host, for: slug, machine: item.task.deviceType.yocto.machine)
      collect(outcome, of: ended, task: item.task, client: client, in: &group)
    } else {
      waiting.insert(slug)
    }
  }

  // MARK: scheduling

  private func schedule(in group: inout ThrowingTaskGroup<Finished, any Error>) async throws {
    await pool.refresh()
    let tasks = waiting.compactMap { work[$0] }.map { item in
      TaskNeed(
        slug: item.task.slug, machine: item.task.deviceType.yocto.machine, arch: item.task.deviceType.arch,
        features: features(of: item), diskBytes: 512 << 20, queuedAt: item.queuedAt, expectedSeconds: item.expectedSeconds,
        avoid: item.avoid)
    }
    for decision in Scheduler.decide(tasks: tasks, hosts: await pool.offers(), now: .now, queueWait: context.configuration.queueWait) {
      switch decision {
      case .dispatch(let slug, let host): try await dispatch(slug, to: host, in: &group)
      case .wait(let slug, let reasons):
        guard work[slug]?.lastWaiting != reasons else { continue }
        work[slug]?.lastWaiting = reasons
        try await context.store.update(request.id, slug, state: .waiting, waiting: CanonicalJSON.encode(reasons))
        report(.waiting(slug, reasons))
      case .giveUp(let slug, let reason, let reasons):
        hasNoHost = true
        let failure = Failure(
          kind: .infrastructure, step: nil, reason: reason, details: reasons.map { "\($0.host): \($0.reasons.joined(separator: "; "))" })
        try await fail(slug, failure)
      }
    }
  }

  /// What a host must have for what is left to build.
  private func features(of item: DeviceTypeProgress) -> Set<String> {
    let needs = needs(item)
    let id = AttemptID(request: request.id, slug: item.task.slug, number: 1)
    return item.task.spec(attempt: id, limits: context.configuration.limits, buildsBlocks: needs.blocks, buildsSystem: needs.system).features
  }

  private func dispatch(_ slug: Slug, to host: HostName, in group: inout ThrowingTaskGroup<Finished, any Error>) async throws {
    guard let item = work[slug], let client = await pool.client(host) else { return }
    waiting.remove(slug)
    let needs = needs(item)
    let id = AttemptID(request: request.id, slug: slug, number: (item.attempts.map(\.id.number).max() ?? 0) + 1)
    let spec = item.task.spec(
      attempt: id, limits: context.configuration.limits, buildsBlocks: needs.blocks, buildsSystem: needs.system)
    let attempt = AttemptRecord(id: id, host: host, spec: spec, startedAt: .now)
    try await context.store.add(attempt)
    try await context.store.update(request.id, slug, state: .running, waiting: Array("[]".utf8))
    work[slug]?.attempts.append(attempt)
    work[slug]?.lastWaiting = []
    await pool.reserve(host, for: slug, machine: item.task.deviceType.yocto.machine)
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
      refused.failure = Failure(cause: error)
      if error is BlocksError { refused.failure?.kind = .rejected }
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
    work[slug] = item
    guard let failure = outcome.failure else {
      let reusable = PartStore(context.delivery)
      work[slug]?.parts.system = try await reusable.system(item.task)
      work[slug]?.parts.blocks = item.task.builtBlocks.isEmpty ? nil : try await reusable.blocks(item.task)
      for block in outcome.blocks { work[slug]?.notices += block.notices.map { "block \(block.name): \($0)" } }
      deliver(slug, in: &group)
      return
    }
    if !isCancelled, RetryRule.next(after: failure, attempts: item.attempts.count) == .another {
      work[slug]?.avoid.insert(host)
      waiting.insert(slug)
      report(.retrying(slug, failure.reason))
    } else {
      try await fail(slug, failure)
    }
  }

  private func deliver(_ slug: Slug, in group: inout ThrowingTaskGroup<Finished, any Error>) {
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
  private static func delivery(of item: DeviceTypeProgress, _ pipeline: DeliveryPipeline) async -> Result<DeviceTypeReport, Failure> {
    var delivered: DeliveredDeviceType
    do {
      delivered = try await pipeline.deliver(item.task, item.parts)
    } catch {
      var failure = Failure(cause: error)
      // What is made here fails the same way on every host; what is fetched may come another time.
      if failure.step == nil, failure.kind != .cancelled {
        failure.step = .preload
        if failure.kind == .infrastructure { failure.kind = .build }
      }
      return .failure(failure)
    }
    do {
      try await pipeline.publish(item.task, &delivered, system: item.parts.system)
      return .success(report(item, delivered, failure: nil))
    } catch {
      var failure = Failure(cause: error)
      failure.step = failure.step ?? .publish
      delivered.steps.append(StepResult(name: .publish, outcome: .failed, seconds: 0))
      return .success(report(item, delivered, failure: failure))
    }
  }

  private static func report(_ item: DeviceTypeProgress, _ delivered: DeliveredDeviceType, failure: Failure?) -> DeviceTypeReport {
    let task = item.task
    let outcome: DeviceTypeReport.Result =
      if let failure { failure.kind == .cancelled ? .cancelled : .failed } else { item.attempts.isEmpty ? .reused : .built }
    return DeviceTypeReport(
      slug: task.slug, machine: task.deviceType.yocto.machine, arch: task.deviceType.arch, version: task.osVersion, outcome: outcome,
      reason: failure?.reason, failure: failure?.kind, details: failure?.details ?? [],
      log: item.attempts.last.flatMap { RelativePath("logs/attempt-\($0.id.number).log") },
      taskLogs: item.taskLogs.isEmpty ? nil : item.taskLogs, host: item.attempts.last?.host ?? item.parts.system?.host ?? item.parts.blocks?.host,
      attempts: item.attempts.count,
      steps: item.steps + delivered.steps, blocks: delivered.blocks.map(DeviceTypeReport.Block.init),
      artifacts: delivered.files.artifacts, images: delivered.files.images, releases: delivered.releases,
      notices: item.notices + delivered.notices)
  }

  private func delivered(_ slug: Slug, _ result: Result<DeviceTypeReport, Failure>) async throws {
    deliveries[slug] = nil
    switch result {
    case .success(let report): try await end(slug, report)
    case .failure(let failure): try await fail(slug, failure)
    }
  }

  private func fail(_ slug: Slug, _ failure: Failure) async throws {
    if let item = work[slug] { try await end(slug, failed(item, failure)) }
  }

  private func failed(_ item: DeviceTypeProgress, _ failure: Failure) -> DeviceTypeReport {
    let task = item.task
    var steps = item.steps
    // The worker lists its own failed step; what fails on the coordinator is listed here.
    if let step = failure.step, steps.last(where: { $0.name == step })?.outcome != .failed {
      steps.append(StepResult(name: step, outcome: .failed, seconds: 0))
    }
    return DeviceTypeReport(
      slug: task.slug, machine: task.deviceType.yocto.machine, arch: task.deviceType.arch, version: task.osVersion,
      outcome: failure.kind == .cancelled ? .cancelled : .failed, reason: failure.reason, failure: failure.kind, details: failure.details,
      log: item.attempts.last.flatMap { RelativePath("logs/attempt-\($0.id.number).log") }, taskLogs: item.taskLogs,
      host: item.attempts.last?.host, attempts: item.attempts.count, steps: steps, notices: item.notices)
  }

  private func end(_ slug: Slug, _ ended: DeviceTypeReport) async throws {
    guard reports[slug] == nil else { return }
    waiting.remove(slug)
    reports[slug] = ended
    try await context.store.end(request.id, slug, record: CanonicalJSON.encode(ended))
    report(.ended(ended))
  }

  // MARK: cancelling and ticking

  private func addTick(to group: inout ThrowingTaskGroup<Finished, any Error>) {
    group.addTask {
      try? await Task.sleep(for: .seconds(1))
      return .tick
    }
  }

  /// A cancelled request: waiting tasks and deliveries end at once, running attempts are ended on their hosts and then report their own outcome.
  private func checkCancellation() async throws {
    guard !isCancelled else { return }
    let wanted = try await context.store.request(request.id)?.cancelRequested ?? false
    guard wanted || context.interruption.isRequested else {
      // A host file that was added meanwhile may be what a waiting task needs.
      if !waiting.isEmpty { await pool.pickUpNew() }
      return
    }
    isCancelled = true
    for slug in waiting.sorted() { try await fail(slug, Failure(kind: .cancelled, step: nil, reason: "cancelled")) }
    for (slug, delivery) in deliveries {
      report(.taskNotice(slug, "cancelling"))
      delivery.cancel()
    }
    for (slug, item) in work where reports[slug] == nil && deliveries[slug] == nil {
      guard let attempt = item.attempts.last, let client = await pool.client(attempt.host) else { continue }
      try await context.store.set(attempt.id, state: .cancelling)
      report(.taskNotice(slug, "cancelling on \(attempt.host)"))
      do {
        _ = try await client.cancel(attempt.id)
      } catch {
        try await fail(
          slug,
          Failure(kind: .cancelled, step: nil, reason: "cancelled, but \(attempt.host) could not be told and may go on: \(error)"))
      }
    }
  }
}
