import BuildModel

/// Turns a request and what the repositories hold into a draft, and that into a plan. Pure.
package enum Planner {
  /// What the repositories say; see ``PlanDraft`` for what is asked then. What cannot be planned fails by itself; this throws where the request itself is
  /// wrong, or nothing is left of it.
  package static func draft(_ request: PlanRequest, readings: [RepositoryReading]) throws(PlanningError) -> PlanDraft {
    guard !readings.isEmpty else {
      throw .nothingSelected("no device repository is configured")
    }
    if request.only == .blocks, request.blocks == .none, !request.isExplaining {
      throw .nothingSelected("only blocks are wanted, and none is selected: name them with --blocks, or use --blocks all")
    }
    var request = request
    if request.only == .image { request.blocks = .none }
    var plan = Plan(tasks: [], skipped: [], notices: [], locations: [])
    let chosen = try choose(request, readings, &plan)
    let catalogs = catalogs(chosen, &plan)
    let unknownBlocks = try unknownNames(of: &request, in: chosen, catalogs)
    var tally = Tally()
    for candidate in chosen {
      guard let catalog = catalogs[candidate.deviceType.slug] else { continue }
      do throws(PlanningError) {
        try add(candidate, catalog, request, hasUnknownBlocks: !unknownBlocks.isEmpty, to: &plan, &tally)
      } catch {
        plan.fail(candidate.deviceType, candidate.repository.version, error)
      }
    }
    plan.skipped.sort { $0.slug < $1.slug }
    plan.failed.sort { $0.slug < $1.slug }
    if plan.failed.isEmpty { try tally.check(request) }
    guard !plan.tasks.isEmpty || plan.complaints.isEmpty else { throw .nothingLeft(plan.bareComplaints) }
    return PlanDraft(plan, unknownBlocks: unknownBlocks)
  }

  /// A device type, and the repository that builds it.
  private struct Candidate {
    var deviceType: DeviceType
    var repository: DeviceRepository
  }

  /// The device types that can be planned; the others are noted in the plan.
  private static func choose(_ request: PlanRequest, _ readings: [RepositoryReading], _ plan: inout Plan) throws(PlanningError) -> [Candidate] {
    // Repositories that not even list their device types.
    let unread = readings.compactMap { reading in
      if case .unusable(let unusable) = reading, unusable.listing.deviceTypes.isEmpty, unusable.listing.brokenManifests.isEmpty {
        unusable.error
      } else {
        nil as PlanningError?
      }
    }
    let selected = try DeviceTypeSelection(readings.map(\.listing), for: request).select(unread: unread)
    let takesAll = DeviceTypeSelection.takesAll(request)
    plan.problems += selected.brokenManifests.map { "\($0.error)" }
    if takesAll { plan.problems += unread.map { "\($0)" } } else { plan.notices += unread.map { "\($0) (nothing of it is needed)" } }
    plan.notices += selected.otherBrokenManifests.map { "\($0.error) (not part of the request)" }
    var chosen: [Candidate] = []
    for (slug, definitions) in selected.deviceTypes {
      let choice = RepositoryChoice(slug, definitions.map { (readings[$0.repository], $0.deviceType) })
      if let notice = choice.notice { plan.notices.append(notice) }
      let deviceType = choice.deviceType
      guard request.architectures.isEmpty || request.architectures.contains(deviceType.arch) else { continue }
      switch choice.reading {
      case .usable(let repository): chosen.append(Candidate(deviceType: deviceType, repository: repository))
      case .unusable(let repository) where deviceType.state == .discontinued:
        plan.skip(deviceType, repository.version, "is discontinued")
      case .unusable(let repository): plan.fail(deviceType, repository.version, repository.error)
      case nil:
        plan.fail(
          deviceType, nil, .repository(name: choice.names, reason: choice.problem, hint: "'preferred: true' in farm.yaml chooses one of them"))
      }
    }
    note(chosen, request, &plan)
    return chosen
  }

  /// What is to be said of the repositories themselves, once each.
  private static func note(_ chosen: [Candidate], _ request: PlanRequest, _ plan: inout Plan) {
    var told: Set<String> = []
    for candidate in chosen where told.insert(candidate.repository.source.name).inserted {
      let repository = candidate.repository
      plan.notices += repository.notices.map { "repository \(repository.source.name): \($0)" }
      let problems = (repository.contractProblems + BlockCatalog.Contracts(repository.contracts).refused.sorted { $0.key < $1.key }.map(\.value)).map
      {
        "\($0)"
      }
      if DeviceTypeSelection.takesAll(request) || request.blocks == .all {
        plan.problems += problems
      } else if let first = problems.first {
        plan.notices.append(
          problems.count == 1 ? "\(first); no block is made from it" : "\(Counted(problems.count, "contract")) cannot be used, the first: \(first)")
      }
    }
  }

  /// Plans one device type.
  private static func add(
    _ candidate: Candidate, _ catalog: BlockCatalog, _ request: PlanRequest, hasUnknownBlocks: Bool, to plan: inout Plan, _ tally: inout Tally
  ) throws(PlanningError) {
    let (deviceType, repository) = (candidate.deviceType, candidate.repository)
    if request.only != .blocks, deviceType.yocto.image.isEmpty {
      return plan.skip(deviceType, repository.version, "its manifest names no image to build")
    }
    let picked = try BlockPlanning(request: request, catalog: catalog, deviceType: deviceType, repository: repository).choose()
    plan.explanations += picked.explanations
    for problem in picked.problems where !plan.problems.contains("\(problem)") { plan.problems.append("\(problem)") }
    tally.add(picked, of: deviceType.slug)
    if request.only == .blocks, picked.specs.isEmpty, !hasUnknownBlocks {
      return plan.skip(deviceType, repository.version, picked.notices.isEmpty ? "has no block to build" : picked.notices.joined(separator: "; "))
    }
    plan.tasks.append(task(deviceType, repository, picked, request, catalog))
    for location in repository.locations where !plan.locations.contains(location) { plan.locations.append(location) }
  }

  /// What may be built for each device type that is not discontinued.
  private static func catalogs(_ chosen: [Candidate], _ plan: inout Plan) -> [Slug: BlockCatalog] {
    var contracts: [String: BlockCatalog.Contracts] = [:]
    var catalogs: [Slug: BlockCatalog] = [:]
    for candidate in chosen {
      let (deviceType, repository) = (candidate.deviceType, candidate.repository)
      guard deviceType.state != .discontinued else {
        plan.skip(deviceType, repository.version, "is discontinued")
        continue
      }
      let known = contracts[repository.source.name] ?? BlockCatalog.Contracts(repository.contracts)
      contracts[repository.source.name] = known
      do throws(PlanningError) {
        catalogs[deviceType.slug] = try BlockCatalog(known, composition: repository.compositions.composition(for: deviceType))
      } catch {
        plan.fail(deviceType, repository.version, error)
      }
    }
    return catalogs
  }

  /// Which of the named blocks fit anywhere.
  private struct Tally {
    var fits: Set<String> = []
    var misfits: [String: [String]] = [:]
    var isEmpty = true

    mutating func add(_ picked: BlockPlanning.Chosen, of slug: Slug) {
      isEmpty = false
      fits.formUnion(picked.fits)
      for (block, reason) in picked.misfits { misfits[block, default: []].append("\(slug): \(reason)") }
    }

    func check(_ request: PlanRequest) throws(PlanningError) {
      guard case .named(let names) = request.blocks, !isEmpty, !request.isExplaining else { return }
      for name in names where !fits.contains(name) { throw .blockFitsNone(block: name, reasons: misfits[name] ?? []) }
    }
  }

  private static func task(
    _ deviceType: DeviceType, _ repository: DeviceRepository, _ picked: BlockPlanning.Chosen, _ request: PlanRequest, _ catalog: BlockCatalog
  ) -> PlannedTask {
    var repository = repository
    let isTouched = repository.changes?.touch(deviceType, contracts: repository.source.contracts, hasBlocks: !picked.specs.isEmpty) ?? true
    if let changes = repository.changes, !isTouched { (repository.checkout, repository.isRelease) = (changes.committed, changes.isRelease) }
    let againstRelease = reasonAgainstRelease(of: repository, request, catalog, picked)
    var notices = picked.notices + (againstRelease.map { ["not a release: \($0)"] } ?? [])
    if !isTouched { notices.append("the uncommitted changes do not touch it: commit \(repository.checkout.root.commit.short) is built without them") }
    let hasSystem = request.only != .blocks
    let yocto = deviceType.yocto
    let system = SystemSpec(
      image: yocto.image, deployArtifact: yocto.deployArtifact, deployFlasherArtifact: yocto.deployFlasherArtifact,
      deployRawArtifact: yocto.deployRawArtifact, compressed: yocto.compressed, archive: yocto.archive)
    return PlannedTask(
      deviceType: deviceType, source: repository.checkout, driver: repository.source.driver, osVersion: repository.version,
      isRelease: againstRelease == nil, sourceDateEpoch: repository.commitTime, blocks: picked.specs, recipes: picked.recipes,
      system: hasSystem ? system : nil, composition: catalog.composition, releaseContract: repository.releaseContract,
      baseVersion: repository.baseVersion?.text, notices: notices, settings: request.settings)
  }

  /// Why what is built is not what the version's tag stands for; nil where it is.
  private static func reasonAgainstRelease(
    of repository: DeviceRepository, _ request: PlanRequest, _ catalog: BlockCatalog, _ picked: BlockPlanning.Chosen
  ) -> String? {
    let settings = request.settings
    let problems = repository.contractProblems + catalog.contracts.refused.values + picked.problems
    if request.blocks == .all, !problems.isEmpty { return "a block may be missing, for not all contracts can be used" }
    if settings.isDevelopment { return "it is a development image" }
    if let supervisor = settings.supervisorVersion { return "it has supervisor \(supervisor) instead of the recorded one" }
    if !settings.variables.isEmpty { return "it has additional variables: \(settings.variables.map(\.description).joined(separator: " "))" }
    if repository.isRelease { return nil }
    if repository.checkout.isDirty {
      return "it is built with uncommitted changes"
        + (repository.changes.map { " (\($0.summary)), as commit \(repository.checkout.root.commit.short)" } ?? "")
    }
    if let replaced = repository.source.replacements.first { return "\(replaced.path) is built at \(replaced.ref)" }
    return "the commit is not the tag \(repository.version)"
  }

  /// A block that no device type in question knows is a typing mistake, not a misfit; unless a cloud may have it: then it is taken out of the request.
  private static func unknownNames(
    of request: inout PlanRequest, in chosen: [Candidate], _ all: [Slug: BlockCatalog]
  ) throws(PlanningError) -> [PlanDraft.UnknownBlock] {
    let catalogs = chosen.compactMap { all[$0.deviceType.slug] }
    guard case .named(let names) = request.blocks, !catalogs.isEmpty else { return [] }
    let known = Set(catalogs.flatMap(\.names))
    var unknown: [PlanDraft.UnknownBlock] = []
    for name in names where !known.contains(name) {
      let slugs = Set(catalogs.flatMap { $0.all.map(\.name) })
      let near = NearestNames.of(name, among: slugs)
      let nearest = near.isEmpty ? Array(slugs.sorted().prefix(20)) : near
      guard request.isCloudAsked, let block = try? BlockName(name) else {
        // It may be the block of a contract that cannot be read.
        let problems = Set(chosen.flatMap { $0.repository.contractProblems.map { "\($0)" } + $0.repository.unusedContracts }).sorted()
        let error = PlanningError.unknown(noun: "block", text: name, nearest: nearest)
        throw problems.isEmpty ? error : .notFound(["\(error)"] + problems)
      }
      unknown.append(.init(name: block, nearest: nearest))
    }
    guard !unknown.isEmpty else { return [] }
    request.blocks = .named(names.filter(known.contains))
    return unknown
  }
}

extension Plan {
  fileprivate mutating func skip(_ deviceType: DeviceType, _ version: OSVersion?, _ reason: String) {
    skipped.append(
      SkippedDeviceType(
        slug: deviceType.slug, machine: deviceType.yocto.machine, arch: deviceType.arch, osVersion: version, reason: reason))
  }

  fileprivate mutating func fail(_ deviceType: DeviceType, _ version: OSVersion?, _ error: PlanningError) {
    failed.append(
      FailedDeviceType(
        slug: deviceType.slug, machine: deviceType.yocto.machine, arch: deviceType.arch, osVersion: version, reason: "\(error)",
        blame: error.blame))
  }

  /// Every reason once, without the device types that it costs.
  fileprivate var bareComplaints: [String] {
    var reasons: [String] = []
    for reason in failed.map(\.reason) + problems where !reasons.contains(reason) { reasons.append(reason) }
    return reasons
  }
}
