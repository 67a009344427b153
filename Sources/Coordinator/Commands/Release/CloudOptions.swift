import ArgumentParser
import BuildModel
import CoordinatorConfiguration
import FarmService
import FoundationEssentials
import Publishing
import Releases

/// Which cloud is meant.
struct CloudOptions: ParsableArguments {
  @OptionGroup var configurationOptions: ConfigurationOptions
  @Option(name: .long, help: "The cloud: production, staging, another one of farm.yaml, or the API's URL. There is no default.")
  var env: String?

  func open(for purpose: CloudSession.Purpose) async throws -> CloudSession {
    let configuration = try configurationOptions.load()
    return try await CloudSession.open(
      configuration.cloud(named: env), for: purpose, registries: configuration.registries, notice: { Diagnostics.print("note: " + $0) })
  }
}
