import BuildModel

/// What the repositories alone say about a request. What else must be known (see ``PlanFacts``) is asked with its help, then it becomes the plan,
/// which nothing changes any more.
package struct PlanDraft: Sendable {
  /// A block that neither a contract nor a composition knows: only a cloud may.
  package struct UnknownBlock: Hashable, Sendable {
    package var name: BlockName
    /// Blocks that there are, the most similar ones first.
    package var nearest: [String]
  }

  private let plan: Plan
  package let unknownBlocks: [UnknownBlock]

  init(_ plan: Plan, unknownBlocks: [UnknownBlock]) {
    self.plan = plan
    self.unknownBlocks = unknownBlocks
  }

  package var notices: [String] { plan.notices }
  /// What was selected and cannot be read.
  package var problems: [String] { plan.problems }
  /// One for each device type, with all blocks that the repositories know, every one to be built.
  package var tasks: [PlannedTask] { plan.tasks }

  /// The feeds that the plan with these facts needs, by what is asked for.
  package func feedQuestions(_ facts: PlanFacts) throws(PlanningError) -> Set<FeedQuestion> {
    Set(try released(facts).tasks.compactMap(\.feedQuestion))
  }

  /// The final plan.
  package func plan(with facts: PlanFacts) throws(PlanningError) -> Plan {
    var plan = try released(facts)
    for index in plan.tasks.indices {
      if let question = plan.tasks[index].feedQuestion { plan.tasks[index].feed = facts.feeds[question] }
    }
    return plan
  }

  private func released(_ facts: PlanFacts) throws(PlanningError) -> Plan {
    for unknown in unknownBlocks where !facts.releases.values.contains(where: { $0[unknown.name] != nil }) {
      throw .unreleased(block: unknown.name.text, nearest: unknown.nearest)
    }
    var plan = plan
    for index in plan.tasks.indices {
      let found = facts.releases[plan.tasks[index].slug] ?? [:]
      for block in unknownBlocks { if let release = found[block.name] { plan.tasks[index].add(block.name, release) } }
      if !facts.atHand.contains(plan.tasks[index].slug) { plan.tasks[index].fetch(found) }
    }
    if !unknownBlocks.isEmpty { plan.skipEmptyTasks() }
    return plan
  }
}

extension PlannedTask {
  /// Takes a block that is known by its release alone.
  fileprivate mutating func add(_ name: BlockName, _ release: PlanFacts.Release) {
    blocks.append(
      BlockSpec(
        name: name, origin: .registry(reference: release.reference), packages: [], recipes: [], labels: release.labels,
        platform: deviceType.arch.platform, reference: "local/\(slug)-\(name):\(osVersion.imageTag)"))
    notices.append("block \(name) is known by its release at \(osVersion) alone: it is fetched")
  }

  /// Fetches the blocks that are released instead of building them; the recipes are then those of the other blocks.
  fileprivate mutating func fetch(_ releases: [BlockName: PlanFacts.Release]) {
    guard !releases.isEmpty else { return }
    for (place, block) in blocks.enumerated() {
      guard let release = releases[block.name], !block.isFetched else { continue }
      blocks[place].origin = .registry(reference: release.reference)
      blocks[place].layering = .single
      notices.append("block \(block.name) is released at \(osVersion): it is fetched, not built")
    }
    let needed = Set(builtBlocks.flatMap(\.recipes))
    recipes.removeAll { !needed.contains($0) }
  }

  /// What a feed is asked for; nil where no block is made from packages.
  fileprivate var feedQuestion: FeedQuestion? {
    guard needsFeed else { return nil }
    let blocks = builtBlocks.filter(\.needsFeed)
    // A block with a Dockerfile of its own may install anything, so it gets all that there is.
    let takesAll = blocks.contains { if case .dockerfile(_?, _) = $0.origin { true } else { false } }
    return FeedQuestion(lists: blocks.map(\.packages), takesAll: takesAll)
  }
}

extension Plan {
  /// A device type of which nothing is left to be made is skipped.
  fileprivate mutating func skipEmptyTasks() {
    for task in tasks where task.blocks.isEmpty && task.system == nil {
      skipped.append(
        SkippedDeviceType(
          slug: task.slug, machine: task.deviceType.yocto.machine, arch: task.deviceType.arch, osVersion: task.osVersion,
          reason: "has no block to build, and none of those that were asked for is released at \(task.osVersion)"))
    }
    tasks.removeAll { $0.blocks.isEmpty && $0.system == nil }
  }
}
