import BoundedConcurrency
import BuildModel
import CanonicalJSON
import CoordinatorConfiguration
import Delivery
import Executors
import FoundationEssentials
import Glibc
import Planning
import Releases
import RemoteFeed
import Reports
import Scheduling
import Store

/// The farm as commands see it: one method an operation. No printing, no exit codes but in errors.
package struct Farm: Sendable {
  package let context: FarmContext

  package init(_ configuration: FarmConfiguration) throws {
    context = try FarmContext(configuration: configuration)
  }

  package struct BuildOptions: Sendable {
    package var request: PlanRequest
    package var allowDirty: Bool
    /// Build on this machine through a child process instead of the configured hosts.
    package var isLocal: Bool
    /// Concurrent tasks with `isLocal`.
    package var localSlots: Int
    /// With `isLocal`: builds run without a sandbox.
    package var isUnconfined = false
    /// Use only these hosts; empty means all.
    package var hosts: [String]
    /// A submodule to build at another commit than the recorded one.
    package var submodule: SubmoduleRef?
    /// nil when nothing is to be published.
    package var deploy: DeployRequest?
    /// The cloud that is asked for released blocks; nil: the one of `deploy`, else none.
    package var lookup: String?
    /// Build blocks although they are released at this version.
    package var rebuild: Bool
    /// nil: feeds are built.
    package var feed: FeedProvision?
    /// A device type for which there is no host waits for one that is added.
    package var waitsForHosts: Bool

    package init(
      request: PlanRequest, allowDirty: Bool, isLocal: Bool, localSlots: Int, hosts: [String], submodule: SubmoduleRef? = nil,
      deploy: DeployRequest? = nil, lookup: String? = nil, rebuild: Bool = false, feed: FeedProvision? = nil,
      waitsForHosts: Bool = false
    ) {
      self.waitsForHosts = waitsForHosts
      self.lookup = lookup
      self.rebuild = rebuild
      self.feed = feed
      self.submodule = submodule
      self.deploy = deploy
      self.request = request
      self.allowDirty = allowDirty
      self.isLocal = isLocal
      self.localSlots = localSlots
      self.hosts = hosts
    }
  }

  package struct BuildResult: Sendable {
    /// What became of the request as a whole.
    package enum End: Hashable, Sendable {
      /// Every device type was built, reused, or skipped with a reason.
      case allGood
      case someFailed
      /// A device type ended because no host was left, or through the coordinator's own fault: its disk is full, its state unusable.
      case farmCouldNot
      case cancelled
    }

    package var index: IndexDocument
    /// What index.json holds.
    package var document: [UInt8]
    /// The request's directory.
    package var directory: String
    package var end: End
    /// Host files that cannot be read: their hosts were left out.
    package var hostProblems: [String] = []

    /// Why the request is not all good although no device type failed; nil where one did, or all is good.
    package var shortfall: String? {
      guard end == .someFailed, !index.deviceTypes.contains(where: { $0.outcome == .failed }) else { return nil }
      let unread = index.problems?.count ?? 0
      let reasons =
        (unread == 0 ? [] : ["\(Counted(unread, "thing")) that the request names could not be read"])
        + (hostProblems.isEmpty
          ? []
          : [
            "\(Counted(hostProblems.count, "host file")) could not be read, so "
              + "\(hostProblems.count == 1 ? "its host was" : "their hosts were") left out"
          ])
      return "Every device type that could be planned is done, and the exit status is 1 all the same: \(reasons.joined(separator: ", and "))."
    }
  }

  /// Resolves a request without starting anything.
  package static func plan(
    _ request: PlanRequest, configuration: FarmConfiguration, allowDirty: Bool, submodule: SubmoduleRef? = nil
  ) async throws -> Plan {
    if RepositoryCheckout.writesState(configuration, allowDirty: allowDirty), let obstacle = StateDirectory(configuration.state).obstacle {
      throw FarmError.farm(obstacle)
    }
    let readings = try await RepositoryCheckout.read(configuration, for: request, allowDirty: allowDirty, submodule: submodule)
    return try Planner.draft(request, readings: readings).plan(with: PlanFacts())
  }

  /// Plans, takes the engine, works the request off and writes its deploy tree. Resumes an unfinished request of the same plan.
  package func build(_ options: BuildOptions, report: @escaping @Sendable (FarmEvent) -> Void) async throws -> BuildResult {
    if options.isLocal { try await refuseRoot(options) }
    try context.make()
    let planned = try await planned(options, report: report)
    let plan = planned.plan
    let refused = try await refused(plan, options, session: planned.session)
    if context.interruption.isRequested { throw CancellationError() }
    guard let lock = try EngineLock(directory: context.configuration.state) else {
      throw FarmError.farm(
        "another blockfarm works with the state in \(context.configuration.state); "
          + "wait for it ('blockfarm status'), or use another state directory")
    }
    defer { withExtendedLifetime(lock) {} }
    var result = try await run(
      plan, options, lock: lock, session: planned.session, released: planned.released, refused: refused, report: report)
    if result.end == .allGood, !plan.problems.isEmpty || !planned.hostProblems.isEmpty { result.end = .someFailed }
    result.hostProblems = planned.hostProblems
    return result
  }

  /// A plan, and what was found out while it was made.
  struct Planned {
    var plan: Plan
    var session: CloudSession?
    var released: ReleasedBlocks
    /// Of host files that the build would use.
    var hostProblems: [String]
  }

  func planned(_ options: BuildOptions, report: @escaping @Sendable (FarmEvent) -> Void) async throws -> Planned {
    var request = options.request
    request.isFeedProvided = options.feed != nil
    let session = try await cloud(options) { report(.notice($0)) }
    request.isCloudAsked = session != nil && !options.rebuild
    let readings = try await RepositoryCheckout.read(
      context.configuration, for: request, allowDirty: options.allowDirty, submodule: options.submodule)
    let draft = try Planner.draft(request, readings: readings)
    for notice in draft.notices { report(.notice(notice)) }
    let hostProblems = try unusedHostFiles(options)
    for problem in draft.problems + hostProblems { report(.notice(problem)) }
    let released = try await released(draft, options, session: session) { report(.notice($0)) }
    let facts = try await facts(for: draft, released: released, feed: options.feed) { report(.notice($0)) }
    return Planned(plan: try draft.plan(with: facts), session: session, released: released, hostProblems: hostProblems)
  }

  /// What is wrong with files of hosts that the build would use. Without any other host nothing can be built.
  private func unusedHostFiles(_ options: BuildOptions) throws -> [String] {
    guard !options.isLocal, options.hosts.isEmpty else { return [] }
    let files = context.configuration.hostFiles
    if files.hosts.isEmpty, let all = ConfigurationError(files.problems) { throw all }
    return files.problems.map { "\($0); the host is left out" }
  }

  private func run(
    _ plan: Plan, _ options: BuildOptions, lock: EngineLock, session: CloudSession?, released: ReleasedBlocks, refused: [Slug: Failure],
    report: @escaping @Sendable (FarmEvent) -> Void
  ) async throws -> BuildResult {
    let configuration = context.configuration
    let pool = HostPool(context: context, report: report)
    if options.isLocal {
      try await pool.useLocalHost(worker: FarmContext.localWorker(), slots: options.localSlots, isUnconfined: options.isUnconfined)
    } else {
      await pool.useConfigured(try Self.select(options.hosts, from: configuration.hostFiles), mayGrow: options.hosts.isEmpty)
    }
    let (request, isResumed) = try await open(plan)
    try lock.note(request: request.id)
    let slugs = plan.tasks.map(\.slug.text)
    try await context.audit.append(AuditedAction(isResumed ? .resume : .build, request: request.id, subjects: slugs))
    if let deploy = options.deploy { try await context.audit.append(AuditedAction(.publish, request: request.id, subjects: [deploy.cloud] + slugs)) }
    try await pruneChanges()
    report(.requestStarted(request.id, tasks: plan.tasks.map(\.slug), isResumed: isResumed))
    let run = RequestRun(
      context: context, request: request, plan: plan, pool: pool,
      registries: RegistryClients(
        cloud: session?.registry, registries: released.registries, configured: configuration.registries, notice: { report(.notice($0)) }),
      publishing: try await deployment(of: plan, options, session: session, released: released)?.publishing, refused: refused,
      rebuildsBlocks: options.rebuild, waitsForHosts: options.waitsForHosts,
      report: report)
    let reports = try await run.run()
    await pool.disconnect()
    let tree = DeployTree(output: request.output, request: request.id)
    let index = IndexDocument(
      request: request.id, deviceTypes: reports, additionalVariables: options.request.settings.variables, problems: plan.problems)
    let (blobs, records) = (context.blobs, await run.records)
    let document = try await BlockingWork.run {
      try BlockLayout.write(index, tree: tree, blobs: blobs)
      return try tree.finish(index, records: records)
    }
    var latest = LatestLinks(output: request.output)
    try latest.move(reports, to: request.id)
    try await context.store.end(request.id, at: .now)
    try await pruneChanges(done: plan)
    let outcomes = Set(reports.map(\.outcome))
    let hasNoHost = await run.hasNoHost
    // Jenkins ends the processes of an aborted build itself too: what failed then was cancelled.
    let isInterrupted = context.interruption.isRequested && outcomes.contains(.failed)
    let isCoordinators = reports.contains { $0.blame == .coordinator }
    return BuildResult(
      index: index, document: document, directory: tree.root,
      end: outcomes.contains(.cancelled) || isInterrupted
        ? .cancelled : hasNoHost || isCoordinators ? .farmCouldNot : outcomes.contains(.failed) ? .someFailed : .allGood)
  }

  private func open(_ plan: Plan) async throws -> (RequestRecord, Bool) {
    let digest = plan.digest
    if let old = try await context.store.unfinishedRequests().last(where: { $0.planDigest == digest && !$0.cancelRequested }) {
      return (old, true)
    }
    let now = Timestamp.now
    let request = RequestRecord(
      id: RequestID(now: now), createdAt: now, planDigest: digest, output: context.configuration.output, problems: plan.problems)
    let tasks = try plan.tasks.map { task in
      TaskRecord(
        request: request.id, slug: task.slug, machine: task.deviceType.yocto.machine, arch: task.deviceType.arch, state: .waiting,
        planned: try CanonicalJSON.encode(task))
    }
    try await context.store.add(request, tasks: tasks + Self.ended(plan, in: request.id))
    return (request, false)
  }

  static func select(_ names: [String], from files: HostFiles) throws -> [HostConfiguration] {
    for name in names where !files.hosts.contains(where: { $0.name.text == name }) {
      throw unknownHost(name, among: files)
    }
    return names.isEmpty ? files.hosts : files.hosts.filter { names.contains($0.name.text) }
  }

  /// The complaint about a host's name that nothing is configured for, with the names that may have been meant.
  package static func unknownHost(_ name: String, among files: HostFiles) -> FarmError {
    // Its file may be one of those that cannot be read.
    guard files.problems.isEmpty else { return .usage("unknown host '\(name)'\n" + files.problems.map(\.description).joined(separator: "\n")) }
    let hosts = files.hosts
    guard !hosts.isEmpty else { return .usage("unknown host '\(name)': no host is configured; 'blockfarm worker add user@host' adds one") }
    let known = hosts.map(\.name.text)
    let near = NearestNames.of(name, among: known)
    return .usage("unknown host '\(name)'; known: \((near.isEmpty ? known : near).joined(separator: ", "))")
  }
}
