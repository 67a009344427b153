import BoundedConcurrency
import BuildModel
import Feed
import FoundationEssentials
import HTTP
import RemoteFeed

/// Looks at a feed, a directory or one behind http, without a farm.
package struct FeedInspection: Sendable {
  private let location: FeedLocation
  /// PACKAGE_ARCHS, lowest preference first; nil: not known.
  private let architectures: [String]?
  private let cache: String
  private let notice: @Sendable (String) -> Void

  /// One package of a listing.
  package struct Offer: Hashable, Sendable {
    package var stanza: PackageStanza
    package var architecture: String
    /// Whether a block that lists the name gets this one; nil where the order of architectures is not known.
    package var isBest: Bool?
  }

  package struct Listing: Sendable {
    /// By name, then best first.
    package var offers: [Offer]
    /// Directories that PACKAGE_ARCHS does not name.
    package var ignored: [String]
    /// Directories of PACKAGE_ARCHS that the feed does not have.
    package var absent: [String]
  }

  /// `cache` is the directory that keeps what was fetched; it is only made for a remote feed.
  package init(
    location: String, architectures: [String]?, cache: String, notice: @escaping @Sendable (String) -> Void
  ) throws(ToolboxError) {
    do throws(RemoteFeedError) {
      self.location = try FeedLocation(location)
    } catch { throw .usage(error.description) }
    if case .remote = self.location, architectures == nil {
      throw .usage("a feed behind a URL cannot be listed: say its architecture directories with --archs or --tune")
    }
    self.architectures = architectures
    self.cache = cache
    self.notice = notice
  }

  /// Everything that is wrong with the feed.
  package func check(depth: FeedCheck.Depth) async throws(ToolboxError) -> (report: FeedReport, absent: [String]) {
    try await named {
      switch location {
      case .directory(let root):
        return try await BlockingWork.run {
          let absent = try FeedDirectory(root, architectures: architectures).absent
          return (try FeedCheck(root: root, architectures: architectures, depth: depth).run(), absent)
        }
      case .remote(let url): return try await fetcher(url).check(architectures: architectures ?? [], depth: depth)
      }
    }
  }

  package func list() async throws(ToolboxError) -> Listing {
    try await named {
      switch location {
      case .directory(let root):
        return try await BlockingWork.run {
          let directory = try FeedDirectory(root, architectures: architectures)
          return listing(of: try PackageFeed(root: root, architectures: directory.architectures), absent: directory.absent)
        }
      case .remote(let url):
        let (feed, absent) = try await fetcher(url).offers(architectures: architectures ?? [])
        return listing(of: feed, absent: absent)
      }
    }
  }

  private func listing(of feed: PackageFeed, absent: [String]) -> Listing {
    let offers = feed.candidates.sorted { $0.key < $1.key }.flatMap { _, candidates in
      candidates.enumerated().map { place, candidate in
        Offer(stanza: candidate.stanza, architecture: candidate.directory, isBest: architectures == nil ? nil : place == 0)
      }
    }
    return Listing(offers: offers, ignored: feed.ignoredDirectories, absent: absent)
  }

  private func fetcher(_ url: HTTPURL) throws -> FeedFetcher {
    if url.origin.scheme == .http, !url.isLoopback { notice("\(url.origin) is read without TLS: whoever is on the way can change the feed") }
    try FileManager.default.createDirectory(atPath: cache, withIntermediateDirectories: true)
    return FeedFetcher(
      url: url, cache: try FeedCache(root: cache), client: try HTTPClient(settings: FeedFetcher.settings(for: url, notice: notice)))
  }

  private func named<Value>(_ body: () async throws -> Value) async throws(ToolboxError) -> Value {
    do {
      return try await body()
    } catch is CancellationError {
      throw .cancelled
    } catch {
      throw .usage("\(error)")
    }
  }
}
