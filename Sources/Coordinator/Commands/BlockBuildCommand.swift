import ArgumentParser
import BuildModel
import FarmService
import FoundationEssentials

/// `blockfarm block build`: one block from a feed directory.
struct BlockBuildCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "build", abstract: "Make one block from a feed directory.",
    discussion: """
      Say what the block is by --contract, by --locked, or by --name and --package; its platform by --platform, --arch or --device-type. \
      Prints the digest of the OCI manifest; with a docker-archive alone, the image's id. The lock is written beside the image: \
      <output>/<name>.lock.json, or the docker-archive's name with .lock.json.
      """)

  @OptionGroup(title: "The block") var source: BlockSourceOptions
  @OptionGroup(title: "How it is made") var way: BlockWayOptions
  @OptionGroup(title: "What is written") var result: BlockOutputOptions

  func run() async throws {
    let lock = try way.locked.map { try StoredBlock.readLock($0) }
    let spec = try source.spec(lock: lock, layering: way.layers, allowsDevices: way.allowDevices)
    let made = try await StandaloneBlock(
      feed: way.feed, architectures: try way.requiredArchitectures(), block: spec, epoch: way.epoch(lock: lock),
      output: try result.wanted(), billOfMaterials: result.sbom
    ).build()
    if !made.ignored.isEmpty { Diagnostics.print("not in PACKAGE_ARCHS and not used: \(made.ignored.joined(separator: ", "))") }
    for notice in made.notices { Diagnostics.print(notice) }
    try Results.print(made.digest.description)
  }
}

/// Which packages make which image.
struct BlockSourceOptions: ParsableArguments {
  @Option(name: .long, help: "The block's contract.json: its packages, recipes and labels.")
  var contract: String?
  @Option(
    name: .long,
    help:
      "A directory with contracts of device types or of image classes, which hold defaults of labels. May be repeated; the first that has one wins.")
  var contracts: [String] = []
  @Option(name: .long, help: "The block's name (default: the contract's or the lock's).")
  var name: String?
  @Option(name: [.customLong("package")], help: "A package to install. May be repeated.")
  var packages: [String] = []
  @Option(name: .long, help: "An image label, key=value; wins over the contract's. May be repeated.")
  var label: [String] = []
  @Option(name: .long, help: "The image's platform, for example linux/arm64/v8.")
  var platform: String?
  @Option(name: .long, help: "The device type's architecture, which gives the platform.")
  var arch: String?
  @Option(name: .long, help: "The device type, by slug or alias; its contract (see --contracts) gives the platform.")
  var deviceType: String?

  func validate() throws {
    if contract != nil, !packages.isEmpty { throw ValidationError("--package and --contract exclude each other") }
    guard [platform, arch, deviceType].compactMap({ $0 }).count == 1 else {
      throw ValidationError("say the platform by one of --platform, --arch and --device-type")
    }
    if deviceType != nil, contracts.isEmpty { throw ValidationError("--device-type needs --contracts") }
  }

  func spec(lock: BlockLock?, layering: Layering, allowsDevices: Bool) throws -> BlockSpec {
    let trees = try ContractTrees(contracts)
    let contract = try self.contract.map { try StandaloneBlockContract(file: $0, trees: trees) }
    let device = try deviceType.map { try trees.deviceType($0) }
    var labels = contract?.labels ?? [:]
    for text in label {
      guard let equals = text.firstIndex(of: "=") else { throw ValidationError("'\(text)' is not key=value") }
      labels[String(text[..<equals])] = String(text[text.index(after: equals)...])
    }
    do {
      guard let name = try name.map({ try BlockName($0) }) ?? contract?.name ?? lock?.block else {
        throw ValidationError("say the block's name by --name, --contract or --locked")
      }
      let listed = try contract?.packages ?? packages.map { try PackageName($0) }
      return BlockSpec(
        name: name, packages: listed.isEmpty ? lock?.packages.flatMap(\.listed) ?? [] : listed, recipes: contract?.recipes ?? [], labels: labels,
        platform: try device?.architecture.platform ?? imagePlatform(), reference: "local/\(device.map { $0.slug + "-" } ?? "")\(name):latest",
        layering: layering,
        allowsDevices: allowsDevices, lock: lock)
    } catch let error as InvalidName {
      throw FarmError.usage(error.description)
    }
  }

  private func imagePlatform() throws -> Platform {
    if let arch {
      guard let architecture = Architecture(rawValue: arch) else {
        throw FarmError.usage("unknown architecture '\(arch)'; known: \(Architecture.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      return architecture.platform
    }
    let parts = (platform ?? "").split(separator: "/").map(String.init)
    guard (2...3).contains(parts.count) else {
      throw ValidationError("'\(platform ?? "")' is not os/architecture or os/architecture/variant")
    }
    return Platform(os: parts[0], architecture: parts[1], variant: parts.count == 3 ? parts[2] : nil)
  }
}

/// From what and by which rules.
struct BlockWayOptions: ParsableArguments {
  @Option(name: .long, help: "The feed: a directory with one directory a package architecture.")
  var feed: String
  @OptionGroup var architectures: ArchitectureOptions
  @Option(name: .long, help: "A lock: exactly its packages are used, and anything else is an error.")
  var locked: String?
  @Option(name: .long, help: "How the tree becomes layers: \(Layering.allCases.map(\.rawValue).joined(separator: " or ")).")
  var layers: Layering = .single
  @Flag(name: .long, help: "Device nodes may be in packages.")
  var allowDevices = false
  @Option(name: .long, help: "Seconds since 1970 that file times are clamped to (default: the lock's, else SOURCE_DATE_EPOCH, else 0).")
  var epoch: Int64?

  func requiredArchitectures() throws -> [String] {
    guard let names = try architectures.list() else { throw ValidationError("say the order of the feed's directories: --archs or --tune") }
    return names
  }

  func epoch(lock: BlockLock?) -> Int64 {
    epoch ?? lock?.sourceDateEpoch ?? ProcessInfo.processInfo.environment["SOURCE_DATE_EPOCH"].flatMap(Int64.init) ?? 0
  }
}

/// Where the image goes.
struct BlockOutputOptions: ParsableArguments {
  @Option(name: .long, help: "Directory of the OCI image layout to write.")
  var output: String?
  @Option(name: .long, help: "A docker-archive to write; without --output it is all that is made, and nothing is compressed.")
  var dockerArchive: String?
  @Option(name: .long, help: "The software bill of materials to write, an SPDX 2.3 document in JSON.")
  var sbom: String?

  func wanted() throws -> StandaloneBlock.Output {
    switch (output, dockerArchive) {
    case (let directory?, let archive): return .layout(directory: directory, dockerArchive: archive)
    case (nil, let archive?): return .dockerArchive(archive)
    case (nil, nil): throw ValidationError("say what to write: --output, --docker-archive or both")
    }
  }
}

extension Layering: ExpressibleByArgument {}
