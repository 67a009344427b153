import ArgumentParser
import BuildModel
import CoordinatorConfiguration
import FarmService
import FoundationEssentials
import Planning

/// Where the farm's configuration is.
struct ConfigurationOptions: ParsableArguments {
  @Option(name: .long, help: "The farm's configuration (default: ./farm.yaml, else /etc/blockfarm/farm.yaml).")
  var config: String?

  func load() throws -> FarmConfiguration {
    let environment = ProcessInfo.processInfo.environment
    do {
      return try FarmConfiguration.load(
        named: config, workingDirectory: FileManager.default.currentDirectoryPath, home: environment["HOME"] ?? "/")
    } catch {
      throw FarmError.usage(error.description)
    }
  }
}

/// Which device types and blocks are meant.
struct SelectionOptions: ParsableArguments {
  @Option(name: [.short, .long], help: "A device type: slug, machine, file name or alias. May be repeated.")
  var machine: [String] = []
  @Flag(name: .long, help: "All device types of all repositories.")
  var all = false
  @Option(name: .long, help: "Only device types of this architecture. May be repeated.")
  var arch: [String] = []
  @Option(name: .long, help: "Only device types of this repository. May be repeated.")
  var repository: [String] = []
  @Option(name: .long, help: "hostOS blocks, separated by ':', or 'all' (default: none, the core hostapp only).")
  var blocks: String?
  @Flag(name: .long, help: "Build although a repository has uncommitted changes; the commit is built, the result is marked as no release.")
  var allowDirty = false

  func request() throws -> PlanRequest {
    let architectures = try arch.map { text throws in
      guard let architecture = Architecture(rawValue: text) else {
        throw FarmError.usage("unknown architecture '\(text)'; known: \(Architecture.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      return architecture
    }
    return PlanRequest(machines: machine, all: all, architectures: architectures, repositories: repository, blocks: .init(blocks))
  }
}
