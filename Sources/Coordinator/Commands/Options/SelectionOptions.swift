import ArgumentParser
import BuildModel
import CoordinatorConfiguration
import FarmService
import FoundationEssentials
import Planning

/// Which device types and blocks are meant.
struct SelectionOptions: ParsableArguments {
  @Option(name: [.short, .long], help: "A device type: slug, machine, file name or alias. May be repeated.")
  var machine: [String] = []
  @Flag(name: .long, help: "All device types of all repositories.")
  var all = false
  @Option(name: .long, help: "Leave out this device type: slug, machine, file name or alias. May be repeated.")
  var skip: [String] = []
  @Option(name: .long, help: "Only device types of this architecture. May be repeated.")
  var arch: [String] = []
  @Option(name: .long, help: "Only device types of this repository. May be repeated.")
  var repository: [String] = []
  @Option(name: .long, help: "hostOS blocks, separated by ':', or 'all' (default: none, the core hostapp only).")
  var blocks: String?
  @Option(name: .long, help: "Build only 'blocks' (feeds and blocks) or only 'image' (hostapp and image).")
  var only: String?
  @Option(name: .long, help: "How blocks are made from packages: 'packages' (unpacked, the default) or 'dockerfile' (opkg in a container).")
  var builder = "packages"
  @Option(name: .long, help: "With --builder dockerfile: the base image, which must contain opkg.")
  var baseImage: String?
  @Option(
    name: .long,
    help:
      "Layers of a block: 'single' (the default) or 'by-architecture' (one layer for each package architecture, so that device types share the common one)."
  )
  var layers = Layering.single.rawValue
  @Flag(name: .long, help: "Allow device nodes in the packages of blocks.")
  var allowDevices = false
  @Flag(
    name: .long,
    help: "Build uncommitted changes too, as a commit of their own. What they touch is not a release; other device types are built as committed.")
  var allowDirty = false
  @OptionGroup var variables: VariableOptions

  /// `isExplaining`: the plan is only looked at, so a block that fits nowhere is no error.
  func request(isExplaining: Bool = false) throws -> PlanRequest {
    let architectures = try arch.map { text throws in
      guard let architecture = Architecture(rawValue: text) else {
        throw FarmError.usage("unknown architecture '\(text)'; known: \(Architecture.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      return architecture
    }
    var request = PlanRequest(
      machines: machine, all: all, architectures: architectures, repositories: repository, blocks: .init(blocks), builder: try blockBuilder(),
      layering: try choice(layers, "--layers", among: Layering.allCases), only: try wantedPart(), allowsDevices: allowDevices,
      isExplaining: isExplaining, settings: .init(variables: try variables.list()))
    request.skipped = skip
    return request
  }

  private func wantedPart() throws -> PlanRequest.Only {
    guard let only else { return .everything }
    return try choice(only, "--only", among: [.blocks, .image])
  }

  private func blockBuilder() throws -> PlanRequest.Builder {
    switch (builder, baseImage) {
    case ("packages", nil): return .packages
    case ("packages", .some): throw FarmError.usage("--base-image belongs to --builder dockerfile")
    case ("dockerfile", let image?): return .dockerfile(baseImage: image)
    case ("dockerfile", nil): throw FarmError.usage("--builder dockerfile needs --base-image, an image with opkg")
    default: throw FarmError.usage("unknown value '\(builder)' of --builder; known: packages, dockerfile")
    }
  }

  private func choice<Value: RawRepresentable>(_ text: String, _ option: String, among known: [Value]) throws -> Value
  where Value.RawValue == String {
    guard let value = known.first(where: { $0.rawValue == text }) else {
      throw FarmError.usage("unknown value '\(text)' of \(option); known: \(known.map(\.rawValue).joined(separator: ", "))")
    }
    return value
  }
}
