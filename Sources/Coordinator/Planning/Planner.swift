import BuildModel

/// Turns a request and what the repositories hold into a draft, and that into a plan. Pure.
package enum Planner {
  /// The plan of a request that asks neither a cloud nor a feed for anything.
  package static func plan(_ request: PlanRequest, repositories: [DeviceRepository]) throws(PlanningError) -> Plan {
    try draft(request, repositories: repositories).plan(with: PlanFacts())
  }

  /// What the repositories say; see ``PlanDraft`` for what is asked then.
  package static func draft(_ request: PlanRequest, repositories: [DeviceRepository]) throws(PlanningError) -> PlanDraft {
    guard !repositories.isEmpty else {
      throw .nothingSelected("no device repository is configured")
    }
    if request.only == .blocks, request.blocks == .none, !request.isExplaining {
      throw .nothingSelected("only blocks are wanted, and none is selected: name them with --blocks, or use --blocks all")
    }
    var request = request
    if request.only == .image { request.blocks = .none }
    let selection = try DeviceTypeSelection(repositories, for: request)
    let chosen = try selection.select()
    var plan = Plan(tasks: [], skipped: [], notices: selection.notices, locations: [])
    var told: Set<String> = []
    for candidate in chosen where told.insert(candidate.repository.source.name).inserted {
      plan.notices += candidate.repository.notices.map { "repository \(candidate.repository.source.name): \($0)" }
    }
    let catalogs = try catalogs(chosen)
    let unknownBlocks = try unknownNames(of: &request, in: chosen.compactMap { catalogs[$0.deviceType.slug] })
    var tally = Tally()
    var located: Set<SourceLocation> = []
    for candidate in chosen {
      let (deviceType, repository) = (candidate.deviceType, candidate.repository)
      func skip(_ reason: String) {
        plan.skipped.append(
          SkippedDeviceType(
            slug: deviceType.slug, machine: deviceType.yocto.machine, arch: deviceType.arch, osVersion: repository.version, reason: reason))
      }
      guard let catalog = catalogs[deviceType.slug] else {
        skip("is discontinued")
        continue
      }
      if request.only != .blocks, deviceType.yocto.image.isEmpty {
        skip("its manifest names no image to build")
        continue
      }
      let picked = try BlockPlanning(request: request, catalog: catalog, deviceType: deviceType, repository: repository).choose()
      plan.explanations += picked.explanations
      tally.add(picked, of: deviceType.slug)
      if request.only == .blocks, picked.specs.isEmpty, unknownBlocks.isEmpty {
        skip(picked.notices.isEmpty ? "has no block to build" : picked.notices.joined(separator: "; "))
        continue
      }
      plan.tasks.append(task(deviceType, repository, picked, request, composition: catalog.composition))
      for location in repository.locations where located.insert(location).inserted { plan.locations.append(location) }
    }
    try tally.check(request)
    return PlanDraft(plan, unknownBlocks: unknownBlocks)
  }

  /// What may be built for each device type that is not discontinued.
  private static func catalogs(_ chosen: [DeviceTypeSelection.Candidate]) throws(PlanningError) -> [Slug: BlockCatalog] {
    var contracts: [String: BlockCatalog.Contracts] = [:]
    var catalogs: [Slug: BlockCatalog] = [:]
    for candidate in chosen {
      let repository = candidate.repository
      let known: BlockCatalog.Contracts
      if let read = contracts[repository.source.name] { known = read } else { known = try BlockCatalog.Contracts(repository.contracts) }
      contracts[repository.source.name] = known
      guard candidate.deviceType.state != .discontinued else { continue }
      catalogs[candidate.deviceType.slug] = try BlockCatalog(known, composition: repository.compositions.composition(for: candidate.deviceType))
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
    _ deviceType: DeviceType, _ repository: DeviceRepository, _ picked: BlockPlanning.Chosen, _ request: PlanRequest, composition: Composition?
  ) -> PlannedTask {
    let againstRelease = reasonAgainstRelease(of: repository, request.settings)
    let notices = picked.notices + (againstRelease.map { ["not a release: \($0)"] } ?? [])
    let hasSystem = request.only != .blocks
    let yocto = deviceType.yocto
    let system = SystemSpec(
      image: yocto.image, deployArtifact: yocto.deployArtifact, deployFlasherArtifact: yocto.deployFlasherArtifact,
      deployRawArtifact: yocto.deployRawArtifact, compressed: yocto.compressed, archive: yocto.archive)
    return PlannedTask(
      deviceType: deviceType, source: repository.checkout, driver: repository.source.driver, osVersion: repository.version,
      isRelease: againstRelease == nil, sourceDateEpoch: repository.commitTime, blocks: picked.specs, recipes: picked.recipes,
      system: hasSystem ? system : nil, composition: composition, releaseContract: repository.releaseContract,
      baseVersion: repository.baseVersion?.text, notices: notices, settings: request.settings)
  }

  /// Why what is built is not what the version's tag stands for; nil where it is.
  private static func reasonAgainstRelease(of repository: DeviceRepository, _ settings: TaskSpec.Settings) -> String? {
    if settings.isDevelopment { return "it is a development image" }
    if let supervisor = settings.supervisorVersion { return "it has supervisor \(supervisor) instead of the recorded one" }
    if !settings.variables.isEmpty { return "it has additional variables: \(settings.variables.map(\.description).joined(separator: " "))" }
    if repository.isRelease { return nil }
    if repository.checkout.isDirty { return "the tree has uncommitted changes" }
    if let replaced = repository.source.replacements.first { return "\(replaced.path) is built at \(replaced.ref)" }
    return "the commit is not the tag \(repository.version)"
  }

  /// A block that no device type in question knows is a typing mistake, not a misfit; unless a cloud may have it: then it is taken out of the request.
  private static func unknownNames(of request: inout PlanRequest, in catalogs: [BlockCatalog]) throws(PlanningError) -> [PlanDraft.UnknownBlock] {
    guard case .named(let names) = request.blocks, !catalogs.isEmpty else { return [] }
    let known = Set(catalogs.flatMap(\.names))
    var unknown: [PlanDraft.UnknownBlock] = []
    for name in names where !known.contains(name) {
      let slugs = Set(catalogs.flatMap { $0.all.map(\.name) })
      let near = NearestNames.of(name, among: slugs)
      let nearest = near.isEmpty ? Array(slugs.sorted().prefix(20)) : near
      guard request.isCloudAsked, let block = try? BlockName(name) else { throw .unknown(noun: "block", text: name, nearest: nearest) }
      unknown.append(.init(name: block, nearest: nearest))
    }
    guard !unknown.isEmpty else { return [] }
    request.blocks = .named(names.filter(known.contains))
    return unknown
  }
}
