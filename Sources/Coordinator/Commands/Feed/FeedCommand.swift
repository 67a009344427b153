import ArgumentParser
import FarmService
import Feed
import FoundationEssentials

/// `blockfarm feed`: package feeds without a farm.
struct FeedCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "feed", abstract: "Check, list and index package feeds.",
    subcommands: [FeedCheckCommand.self, FeedListCommand.self, FeedIndexCommand.self])
}
