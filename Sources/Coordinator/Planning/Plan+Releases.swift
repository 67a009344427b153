import BuildModel

extension Plan {
  /// The same plan with blocks that are known by their releases alone: reference and labels, by device type and block. A device type of which nothing is
  /// wanted then is skipped.
  package func adding(_ released: [Slug: [BlockName: (reference: String, labels: [String: String])]]) -> Plan {
    var plan = self
    for index in plan.tasks.indices {
      let (slug, version) = (plan.tasks[index].slug, plan.tasks[index].osVersion)
      for (name, found) in (released[slug] ?? [:]).sorted(by: { $0.key < $1.key }) {
        plan.tasks[index].blocks.append(
          BlockSpec(
            name: name, origin: .registry(reference: found.reference), packages: [], recipes: [], labels: found.labels,
            platform: plan.tasks[index].deviceType.arch.platform, reference: "local/\(slug)-\(name):\(OSVersion(version)?.imageTag ?? version)"))
        plan.tasks[index].notices.append("block \(name) is known by its release at \(version) alone: it is fetched")
      }
    }
    for task in plan.tasks where task.blocks.isEmpty && task.system == nil {
      plan.skipped.append(
        SkippedDeviceType(
          slug: task.slug, machine: task.deviceType.yocto.machine, arch: task.deviceType.arch, osVersion: task.osVersion,
          reason: "has no block to build, and none of those that were asked for is released at \(task.osVersion)"))
    }
    plan.tasks.removeAll { $0.blocks.isEmpty && $0.system == nil }
    return plan
  }

  /// The same plan with blocks that were released at this version already: they are fetched instead of built.
  ///
  /// `references` are what a registry is asked for, by device type and block. A device type's recipes are then those of its other blocks.
  package func fetching(_ references: [Slug: [BlockName: String]]) -> Plan {
    var plan = self
    for index in plan.tasks.indices {
      guard let found = references[plan.tasks[index].slug] else { continue }
      for (place, block) in plan.tasks[index].blocks.enumerated() {
        guard let reference = found[block.name], !block.isFetched else { continue }
        plan.tasks[index].blocks[place].origin = .registry(reference: reference)
        plan.tasks[index].blocks[place].layering = .single
        plan.tasks[index].notices.append("block \(block.name) is released at \(plan.tasks[index].osVersion): it is fetched, not built")
      }
      let needed = Set(plan.tasks[index].builtBlocks.flatMap(\.recipes))
      plan.tasks[index].recipes.removeAll { !needed.contains($0) }
    }
    return plan
  }
}
