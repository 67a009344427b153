import BuildModel

/// Chooses and resolves the blocks of device types.
struct BlockPlanning {
  let request: PlanRequest.Blocks
  /// Block contracts by the name of their repository, then by slug.
  private let contracts: [String: [String: Contract]]

  struct Chosen {
    var specs: [BlockSpec] = []
    var recipes: [RecipeName] = []
    var notices: [String] = []
    /// Names, as they were asked for, of the blocks that fit.
    var fits: Set<String> = []
    /// For each block that was asked for and does not fit: why.
    var misfits: [String: String] = [:]
  }

  /// Refuses a repository that has two block contracts of one slug.
  init(_ request: PlanRequest.Blocks, in repositories: [DeviceRepository]) throws(PlanningError) {
    self.request = request
    var contracts: [String: [String: Contract]] = [:]
    for repository in repositories where contracts[repository.source.name] == nil {
      contracts[repository.source.name] = try Self.contracts(of: repository)
    }
    self.contracts = contracts
  }

  private static func contracts(of repository: DeviceRepository) throws(PlanningError) -> [String: Contract] {
    var found: [String: Contract] = [:]
    for contract in repository.contracts where contract.isBlock {
      if let first = found[contract.slug] { throw .duplicateContract(slug: contract.slug, first: first.file, second: contract.file) }
      found[contract.slug] = contract
    }
    return found
  }

  /// By slug, else by alias; an alias of two blocks is refused.
  private func find(_ name: String, in contracts: [String: Contract]) throws(PlanningError) -> Contract? {
    if let exact = contracts[name] { return exact }
    let found = contracts.values.filter { $0.aliases.contains(name) }.sorted { $0.slug < $1.slug }
    if found.count > 1 { throw .duplicateContract(slug: name, first: found[0].file, second: found[1].file) }
    return found.first
  }

  func choose(for deviceType: DeviceType, in repository: DeviceRepository) throws(PlanningError) -> Chosen {
    let contracts = contracts[repository.source.name] ?? [:]
    var chosen = Chosen()
    var wanted: [(contract: Contract, names: [String])] = []
    switch request {
    case .none: return chosen
    case .all: wanted = contracts.values.sorted { $0.slug < $1.slug }.map { ($0, [$0.slug]) }
    case .named(let names):
      for name in names {
        if let contract = try find(name, in: contracts) {
          if let index = wanted.firstIndex(where: { $0.contract.slug == contract.slug }) {
            wanted[index].names.append(name)
          } else {
            wanted.append((contract, [name]))
          }
        } else {
          chosen.misfits[name] = "repository \(repository.source.name) has no such block"
        }
      }
    }
    // What the cloud knows a device type by is written in its own contract, not only in the manifest.
    let known = repository.contracts.first { $0.type == "hw.device-type" && $0.slug == deviceType.slug.text }?.aliases ?? []
    let context = ContractMatcher.Context(
      slug: deviceType.slug, aliases: deviceType.aliases + known, arch: deviceType.arch, osVersion: repository.version,
      codename: deviceType.yocto.codename)
    for (contract, names) in wanted {
      let reasons = ContractMatcher.reasons(contract, against: context)
      if reasons.isEmpty {
        let spec = try spec(contract, for: deviceType, in: repository)
        chosen.specs.append(spec)
        chosen.fits.formUnion(names)
        for recipe in spec.recipes where !chosen.recipes.contains(recipe) { chosen.recipes.append(recipe) }
      } else {
        for name in names { chosen.misfits[name] = reasons.map(\.text).joined(separator: "; ") }
      }
    }
    chosen.notices = chosen.misfits.sorted { $0.key < $1.key }.map { "block \($0.key) is left out: \($0.value)" }
    return chosen
  }

  private func spec(_ contract: Contract, for deviceType: DeviceType, in repository: DeviceRepository) throws(PlanningError) -> BlockSpec {
    func wrong(_ reason: String) -> PlanningError { .unreadable(file: contract.file, line: nil, reason: reason) }
    guard let name = try? BlockName(contract.slug) else { throw wrong("'\(contract.slug)' is not a block name") }
    var packages: [PackageName] = []
    for text in contract.packages {
      guard let package = try? PackageName(text) else { throw wrong("'\(text)' is not a package name (globs are not allowed)") }
      packages.append(package)
    }
    guard !packages.isEmpty else { throw wrong("block \(name) lists no package (composedOf with type sw.package.yocto.ipk)") }
    var recipes: [RecipeName] = []
    for text in contract.recipes {
      guard let recipe = try? RecipeName(text) else { throw wrong("'\(text)' is not a recipe name") }
      recipes.append(recipe)
    }
    guard !recipes.isEmpty else { throw wrong("block \(name) lists no recipe (composedOf with type sw.recipe.yocto)") }
    let defaults = repository.contracts.first { $0.type == "sw.image" && $0.slug == contract.imageClass }
    return BlockSpec(
      name: name, packages: packages, recipes: recipes, labels: Self.labels(contract, defaults: defaults),
      platform: deviceType.arch.platform, reference: "local/\(deviceType.slug)-\(name):\(repository.version.imageTag)")
  }

  /// Current and historic label names; the values come from the contract, else from the `sw.image` contract of its class, else from the class.
  static func labels(_ contract: Contract, defaults: Contract?) -> [String: String] {
    let isOverlay = contract.imageClass == "overlay"
    let reboot = contract.rebootRequired ?? defaults?.rebootRequired ?? (isOverlay ? "1" : "0")
    return [
      "io.balena.image.class": contract.imageClass,
      "io.balena.image.store": contract.store ?? defaults?.store ?? "data",
      "io.balena.update.requires-reboot": reboot,
      "io.balena.image.requires-reboot": reboot,
    ]
  }
}
