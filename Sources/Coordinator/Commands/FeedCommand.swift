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
    let environment = ProcessInfo.processInfo.environment
    let base = environment["XDG_CACHE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? (environment["HOME"] ?? "/") + "/.cache"
    return base + "/blockfarm/feeds"
  }
}

/// PACKAGE_ARCHS, written out or by the name of a tune.
struct ArchitectureOptions: ParsableArguments {
  @Option(name: .long, help: "PACKAGE_ARCHS, lowest preference first, separated by blanks.")
  var archs: String?
  @Option(name: .long, help: "Instead of --archs: a tune (cortexa72) or a machine (raspberrypi4-64) whose architectures are known.")
  var tune: String?

  /// nil where neither is given.
  func list() throws -> [String]? {
    if archs != nil, tune != nil { throw ValidationError("--archs and --tune exclude each other") }
    if let archs {
      let names = archs.split(separator: " ").map(String.init)
      guard !names.isEmpty else { throw ValidationError("--archs names no architecture") }
      return names
    }
    guard let tune else { return nil }
    do { return try TunePackageArchitectures(tune).architectures } catch { throw FarmError.usage(error.description) }
  }
}
