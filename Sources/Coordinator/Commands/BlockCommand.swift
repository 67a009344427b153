import ArgumentParser
import BuildModel
import FarmService
import FoundationEssentials

/// `blockfarm block`: blocks without a farm.
struct BlockCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "block", abstract: "Make hostOS blocks from a package feed and push them, without a farm.",
    subcommands: [BlockBuildCommand.self, BlockPushCommand.self])
}

/// `blockfarm block build`: one block from a feed directory.
struct BlockBuildCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "build", abstract: "Make one block from a feed directory.",
    discussion: "Prints the digest of the OCI manifest; with a docker-archive alone, the image's id.")

  @Option(name: .long, help: "The feed: a directory with one directory a package architecture.")
  var feed: String
  @Option(name: .long, help: "PACKAGE_ARCHS, lowest preference first, separated by blanks.")
  var archs: String
  @Option(name: .long, help: "The block's name.")
  var name: String
  @Option(name: [.customLong("package")], help: "A package to install. May be repeated.")
  var packages: [String] = []
  @Option(name: .long, help: "An image label, key=value. May be repeated.")
  var label: [String] = []
  @Option(name: .long, help: "The image's platform, for example linux/arm64/v8.")
  var platform: String
  @Option(name: .long, help: "Seconds since 1970 that file times are clamped to (default: SOURCE_DATE_EPOCH, else 0).")
  var epoch: Int64?
  @Option(name: .long, help: "Directory of the OCI image layout to write.")
  var output: String?
  @Option(name: .long, help: "A docker-archive to write; without --output it is all that is made, and nothing is compressed.")
  var dockerArchive: String?

  func run() async throws {
    let parts = platform.split(separator: "/").map(String.init)
    guard (2...3).contains(parts.count) else { throw ValidationError("'\(platform)' is not os/architecture or os/architecture/variant") }
    var labels: [String: String] = [:]
    for text in label {
      guard let equals = text.firstIndex(of: "=") else { throw ValidationError("'\(text)' is not key=value") }
      labels[String(text[..<equals])] = String(text[text.index(after: equals)...])
    }
    let spec: BlockSpec
    do {
      spec = BlockSpec(
        name: try BlockName(name), packages: try packages.map { try PackageName($0) }, recipes: [], labels: labels,
        platform: Platform(os: parts[0], architecture: parts[1], variant: parts.count == 3 ? parts[2] : nil), reference: "local/\(name):latest")
    } catch {
      throw FarmError.usage("\(error)")
    }
    let time = epoch ?? ProcessInfo.processInfo.environment["SOURCE_DATE_EPOCH"].flatMap(Int64.init) ?? 0
    let wanted: StandaloneBlock.Output
    switch (output, dockerArchive) {
    case (let directory?, let archive): wanted = .layout(directory: directory, dockerArchive: archive)
    case (nil, let archive?): wanted = .dockerArchive(archive)
    case (nil, nil): throw ValidationError("say what to write: --output, --docker-archive or both")
    }
    let result = try await StandaloneBlock(
      feed: feed, architectures: archs.split(separator: " ").map(String.init), block: spec, epoch: time, output: wanted
    ).build()
    if !result.ignored.isEmpty { Diagnostics.print("not in PACKAGE_ARCHS and not used: \(result.ignored.joined(separator: ", "))") }
    for notice in result.notices { Diagnostics.print(notice) }
    print(result.digest)
  }
}
