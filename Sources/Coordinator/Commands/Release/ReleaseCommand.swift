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
