import BuildModel

/// Turns a request and what the repositories hold into a plan. Pure.
package enum Planner {
  package static func plan(_ request: PlanRequest, repositories: [DeviceRepository]) throws(PlanningError) -> Plan {
    guard !repositories.isEmpty else {
      throw .nothingSelected("no device repository is configured: list one under 'repositories' in farm.yaml")
    }
    let selection = try DeviceTypeSelection(repositories, for: request)
    let chosen = try selection.select()
    var plan = Plan(tasks: [], skipped: [], notices: selection.notices, locations: [])
    let blocks = try BlockPlanning(request.blocks, in: chosen.map(\.repository))
    try checkNames(request.blocks, in: chosen.map(\.repository))
    var located: Set<SourceLocation> = []
    var fits: Set<String> = []
    var misfits: [String: [String]] = [:]
    var told: Set<String> = []
    for candidate in chosen where told.insert(candidate.repository.source.name).inserted {
      plan.notices += candidate.repository.notices.map { "repository \(candidate.repository.source.name): \($0)" }
    }
    for candidate in chosen {
      let (deviceType, repository) = (candidate.deviceType, candidate.repository)
      func skip(_ reason: String) {
        plan.skipped.append(
          SkippedDeviceType(
            slug: deviceType.slug, machine: deviceType.yocto.machine, arch: deviceType.arch, osVersion: repository.version.text, reason: reason))
      }
      if deviceType.state == .discontinued {
        skip("is discontinued")
        continue
      }
      if deviceType.yocto.image.isEmpty {
        skip("its manifest names no image to build")
        continue
      }
      let picked = try blocks.choose(for: deviceType, in: repository)
      fits.formUnion(picked.fits)
      for (block, reason) in picked.misfits { misfits[block, default: []].append("\(deviceType.slug): \(reason)") }
      plan.tasks.append(task(deviceType, repository, picked))
      for location in repository.locations where located.insert(location).inserted { plan.locations.append(location) }
    }
    if case .named(let names) = request.blocks, !plan.tasks.isEmpty {
      for name in names where !fits.contains(name) {
        throw .blockFitsNone(block: name, reasons: misfits[name] ?? [])
      }
    }
    return plan
  }

  private static func task(_ deviceType: DeviceType, _ repository: DeviceRepository, _ picked: BlockPlanning.Chosen) -> PlannedTask {
    var notices = picked.notices
    if !repository.isRelease {
      notices.append(
        "not a release: \(repository.checkout.isDirty ? "the tree has uncommitted changes" : "the commit is not the tag \(repository.version)")")
    }
    let yocto = deviceType.yocto
    return PlannedTask(
      deviceType: deviceType, source: repository.checkout, driver: repository.source.driver, osVersion: repository.version.text,
      isRelease: repository.isRelease, sourceDateEpoch: repository.commitTime, blocks: picked.specs, recipes: picked.recipes,
      system: SystemSpec(
        image: yocto.image, deployArtifact: yocto.deployArtifact, deployFlasherArtifact: yocto.deployFlasherArtifact,
        deployRawArtifact: yocto.deployRawArtifact, compressed: yocto.compressed, archive: yocto.archive),
      notices: notices)
  }

  /// A block that no repository in question knows is a typing mistake, not a misfit.
  private static func checkNames(_ blocks: PlanRequest.Blocks, in repositories: [DeviceRepository]) throws(PlanningError) {
    guard case .named(let names) = blocks else { return }
    let known = repositories.flatMap(\.contracts).filter(\.isBlock)
    for name in names where !known.contains(where: { $0.slug == name || $0.aliases.contains(name) }) {
      let slugs = Set(known.map(\.slug))
      let near = NearestNames.of(name, among: slugs)
      throw .unknown(noun: "block", text: name, nearest: near.isEmpty ? Array(slugs.sorted().prefix(20)) : near)
    }
  }
}
