import ArgumentParser
import CoordinatorConfiguration
import FarmService
import Feed
import FoundationEssentials
import Toolbox

/// Where a feed is and what its directories are.
struct FeedOptions: ParsableArguments {
  @Argument(help: "The feed: a directory with one directory a package architecture, or its URL (http, https, file).")
  var feed: String
  @OptionGroup var architectures: ArchitectureOptions
  @Option(name: .long, help: "Keeps what was fetched of a feed behind a URL (default: $XDG_CACHE_HOME or ~/.cache, then blockfarm/feeds).")
  var cache: String?

  func inspection() throws -> FeedInspection {
    try FeedInspection(location: feed, architectures: try architectures.list(), cache: cache ?? Self.defaultCache()) { Diagnostics.print($0) }
  }

  /// Says which directories were asked for in vain. The list of a tune is longer than any feed.
  func noteAbsent(_ names: [String]) {
    guard !names.isEmpty, architectures.archs != nil || feed.contains("://") else { return }
    Diagnostics.print("not in the feed: \(names.joined(separator: ", "))")
  }

  private static func defaultCache() -> String {
    let environment = CallerEnvironment.variables
    let base = environment["XDG_CACHE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? (environment["HOME"] ?? "/") + "/.cache"
    return base + "/blockfarm/feeds"
  }
}
