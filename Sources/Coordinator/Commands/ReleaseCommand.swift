import ArgumentParser
import BuildModel
import CoordinatorConfiguration
import FarmService
import FoundationEssentials
import Publishing

/// `blockfarm release`: releases in the cloud.
struct ReleaseCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "release", abstract: "Look at releases, compare them with what was built, make drafts final.",
    subcommands: [ReleaseShowCommand.self, ReleaseVerifyCommand.self, ReleaseFinalizeCommand.self])
}

/// Which cloud is meant.
struct EnvironmentOptions: ParsableArguments {
  @OptionGroup var configurationOptions: ConfigurationOptions
  @Option(name: .long, help: "The environment: production, staging, another one of farm.yaml, or the API's URL. There is no default.")
  var env: String?

  func open(for purpose: CloudSession.Purpose) async throws -> CloudSession {
    let configuration = try configurationOptions.load()
    do {
      return try await CloudSession.open(
        configuration.environment(named: env), for: purpose, registries: configuration.registries, notice: { Diagnostics.print("note: " + $0) })
    } catch let error as ConfigurationError {
      throw FarmError.usage(error.description)
    }
  }
}

/// One release of one application.
struct ReleaseArguments: ParsableArguments {
  @Argument(help: "The application: its name, or organization/name.")
  var application: String
  @Argument(help: "The release: a version, a complete commit, or id:NUMBER.")
  var release: String

  func selector() throws -> ReleaseSelector {
    guard let selector = ReleaseSelector(release) else {
      throw FarmError.usage("'\(release)' is neither a version nor a complete commit nor id:NUMBER")
    }
    return selector
  }
}
