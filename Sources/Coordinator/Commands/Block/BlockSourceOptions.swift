import ArgumentParser
import BuildModel
import FarmService
import FoundationEssentials
import Toolbox

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
    return try PlatformText.platform(platform ?? "")
  }
}
