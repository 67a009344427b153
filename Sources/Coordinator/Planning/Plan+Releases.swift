import BuildModel

extension Plan {
  /// The same plan with blocks that were released at this version already: they are fetched instead of built.
  ///
  /// `references` are what a registry is asked for, by device type and block. A device type's recipes are then those of its other blocks.
  package func fetching(_ references: [Slug: [BlockName: String]]) -> Plan {
    var plan = self
    for index in plan.tasks.indices {
      guard let found = references[plan.tasks[index].slug] else { continue }
      for (place, block) in plan.tasks[index].blocks.enumerated() {
        guard let reference = found[block.name] else { continue }
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
