import BuildModel

/// The blocks that one device type can have: those of contracts and those of its composition.
struct BlockCatalog {
  /// Where a block is defined.
  enum Entry {
    case contract(Contract)
    case service(Composition.Service, file: String)

    var name: String {
      switch self {
      case .contract(let contract): contract.slug
      case .service(let service, _): service.name.text
      }
    }
    var file: String {
      switch self {
      case .contract(let contract): contract.file
      case .service(_, let file): file
      }
    }
  }

  /// The contracts of one repository that planning asks for, by slug.
  struct Contracts {
    var blocks: [String: Contract] = [:]
    var packageLists: [String: Contract] = [:]
    /// `sw.image` contracts: the defaults of a class.
    var defaults: [String: Contract] = [:]
    /// Aliases by device type, as the cloud knows them.
    var aliases: [String: [String]] = [:]
    /// Slugs that two contracts have where one must: nothing is made from either.
    private(set) var refused: [String: PlanningError] = [:]

    init(_ all: [Contract]) {
      for contract in all {
        if contract.isBlock {
          add(contract, to: \.blocks)
        } else if contract.isPackageList {
          add(contract, to: \.packageLists)
        } else if contract.type == "sw.image" {
          if defaults[contract.slug] == nil { defaults[contract.slug] = contract }
        } else if contract.type == "hw.device-type" {
          if aliases[contract.slug] == nil { aliases[contract.slug] = contract.aliases }
        }
      }
    }

    private mutating func add(_ contract: Contract, to known: WritableKeyPath<Contracts, [String: Contract]>) {
      guard refused[contract.slug] == nil else { return }
      guard let first = self[keyPath: known][contract.slug] else {
        self[keyPath: known][contract.slug] = contract
        return
      }
      self[keyPath: known][contract.slug] = nil
      refused[contract.slug] = .duplicateContract(slug: contract.slug, first: first.file, second: contract.file)
    }
  }

  let contracts: Contracts
  let composition: Composition?
  private let entries: [String: Entry]

  /// Refuses a name that a contract (also as an alias) and a service have in common.
  init(_ contracts: Contracts, composition: Composition?) throws(PlanningError) {
    self.contracts = contracts
    self.composition = composition
    var entries = contracts.blocks.mapValues { Entry.contract($0) }
    for service in composition?.services ?? [] {
      let name = service.name.text
      let file = composition?.files[service.name] ?? Composition.basePath
      if let contract = contracts.blocks[name] ?? contracts.blocks.values.filter({ $0.aliases.contains(name) }).min(by: { $0.slug < $1.slug }) {
        throw .duplicateBlock(name: name, contract: contract.file, composition: file)
      }
      // The hostapp is what the device type itself builds.
      if !service.isHostapp { entries[name] = .service(service, file: file) }
    }
    self.entries = entries
  }

  /// All blocks, by name.
  var all: [Entry] { entries.values.sorted { $0.name < $1.name } }

  /// By name, else by alias; an alias of two blocks is refused.
  func find(_ name: String) throws(PlanningError) -> Entry? {
    if let exact = entries[name] { return exact }
    if let problem = contracts.refused[name] { throw problem }
    let found = contracts.blocks.values.filter { $0.aliases.contains(name) }.sorted { $0.slug < $1.slug }
    if found.count > 1 { throw .duplicateContract(slug: name, first: found[0].file, second: found[1].file) }
    return found.first.map { .contract($0) }
  }

  /// What `--blocks` takes.
  var names: [String] { Array(entries.keys) + contracts.refused.keys + contracts.blocks.values.flatMap(\.aliases) }
}
