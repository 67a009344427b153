import BuildModel

/// Chooses and resolves the blocks of one device type.
struct BlockPlanning {
  let request: PlanRequest
  let catalog: BlockCatalog
  let deviceType: DeviceType
  let repository: DeviceRepository

  struct Chosen {
    var specs: [BlockSpec] = []
    var recipes: [RecipeName] = []
    var notices: [String] = []
    /// Names, as they were asked for, of the blocks that fit.
    var fits: Set<String> = []
    /// For each block that was asked for and does not fit: why.
    var misfits: [String: String] = [:]
    var explanations: [BlockExplanation] = []
    /// Blocks that fit, and whose definition is wrong; none where a block was named, for then it is thrown.
    var problems: [PlanningError] = []
  }

  func choose() throws(PlanningError) -> Chosen {
    var chosen = Chosen()
    for (entry, names) in try wanted(&chosen) {
      var explanation = explain(entry)
      guard explanation.fits else {
        let reasons = explanation.requirements.flatMap(\.reasons).map(\.text).joined(separator: "; ")
        for name in names { chosen.misfits[name] = reasons }
        chosen.explanations.append(explanation)
        continue
      }
      switch try resolution(of: entry, &chosen) {
      case .block(let spec, let notices):
        explanation.origin = spec.origin.summary
        if !names.isEmpty {
          chosen.specs.append(spec)
          chosen.fits.formUnion(names)
          chosen.notices += notices
          for recipe in spec.recipes where !chosen.recipes.contains(recipe) { chosen.recipes.append(recipe) }
        }
      case .impossible(let problem):
        (explanation.fits, explanation.problem) = (false, problem)
        // One old contract among all does not stop the others; a block that was named is wanted.
        if case .named = request.blocks, !request.isExplaining { throw .unreadable(file: entry.file, line: nil, reason: problem) }
        for name in names { chosen.misfits[name] = problem }
      }
      chosen.explanations.append(explanation)
    }
    chosen.notices += chosen.misfits.sorted { $0.key < $1.key }.map { "block \($0.key) is left out: \($0.value)" }
    return chosen
  }

  /// One wrong definition among all does not stop the others; a block that was named is wanted.
  private func resolution(of entry: BlockCatalog.Entry, _ chosen: inout Chosen) throws(PlanningError) -> BlockResolution.Resolved {
    do throws(PlanningError) {
      return try BlockResolution(request: request, catalog: catalog, deviceType: deviceType, repository: repository).resolve(entry)
    } catch {
      if case .named = request.blocks, !request.isExplaining { throw error }
      chosen.problems.append(error)
      return .impossible("\(error)")
    }
  }

  /// The blocks to look at, each once, with the names that they were asked for by; without a name one is only explained.
  private func wanted(_ chosen: inout Chosen) throws(PlanningError) -> [(entry: BlockCatalog.Entry, names: [String])] {
    switch request.blocks {
    case .none: return request.isExplaining ? catalog.all.map { ($0, []) } : []
    case .all: return catalog.all.map { ($0, [$0.name]) }
    case .named(let names):
      var wanted: [(entry: BlockCatalog.Entry, names: [String])] = []
      for name in names {
        if let entry = try catalog.find(name) {
          if let index = wanted.firstIndex(where: { $0.entry.name == entry.name }) {
            wanted[index].names.append(name)
          } else {
            wanted.append((entry, [name]))
          }
        } else {
          // A service belongs to its machine.
          let place =
            catalog.composition == nil ? "repository \(repository.source.name)" : "\(deviceType.slug) of repository \(repository.source.name)"
          chosen.misfits[name] = "\(place) has no such block"
        }
      }
      return wanted
    }
  }

  private func explain(_ entry: BlockCatalog.Entry) -> BlockExplanation {
    var verdicts: [RequirementVerdict] = []
    if case .contract(let contract) = entry {
      // What the cloud knows a device type by is written in its own contract, not only in the manifest.
      let context = ContractMatcher.Context(
        slug: deviceType.slug, aliases: deviceType.aliases + (catalog.contracts.aliases[deviceType.slug.text] ?? []), arch: deviceType.arch,
        osVersion: repository.version, codename: deviceType.yocto.codename, packageLists: catalog.contracts.packageLists)
      verdicts = ContractMatcher.explain(contract, against: context)
    }
    return BlockExplanation(
      deviceType: deviceType.slug, block: entry.name, file: entry.file, fits: verdicts.allSatisfy { $0.result == .met }, requirements: verdicts)
  }
}
