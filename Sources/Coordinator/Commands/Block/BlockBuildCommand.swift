import ArgumentParser
import BuildModel
import FarmService
import FoundationEssentials
import Toolbox

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
