import ArgumentParser
import BuildModel
import FarmService
import Toolbox

/// `blockfarm feed index`: write the indexes of a feed directory.
struct FeedIndexCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "index", abstract: "Write Packages and Packages.gz in each architecture directory of a feed.",
    discussion: "From the packages' own control files. When one package cannot be indexed, no index is changed.")

  @Argument(help: "The feed: a directory with one directory a package architecture.")
  var feed: String

  func run() async throws {
    for summary in try await FeedIndexing(root: feed).run() { try Results.print("\(summary.architecture): \(Counted(summary.packages, "package"))") }
  }
}
