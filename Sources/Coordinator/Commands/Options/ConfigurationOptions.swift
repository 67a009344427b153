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
    let environment = CallerEnvironment.variables
    return try FarmConfiguration.load(
      named: config, workingDirectory: FileManager.default.currentDirectoryPath, home: environment["HOME"] ?? "/")
  }
}
