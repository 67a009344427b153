import BlobStore
import BuildModel
import Cloud
import Feed
import FoundationEssentials
import Planning
import RemoteFeed

/// A feed that exists already, a directory or one behind http: what its blocks need is taken into the store, checked, and handed to workers as blobs.
package struct FeedProvision: Sendable {
  let location: FeedLocation
  /// PACKAGE_ARCHS, lowest preference first.
  let architectures: [String]

  package init(location: String, architectures: [String]?) throws(FarmError) {
    do throws(RemoteFeedError) { self.location = try FeedLocation(location) } catch { throw .usage(error.description) }
    guard let architectures else {
      throw .usage("--feed needs the order of its architecture directories: say it with --archs or --tune")
    }
    self.architectures = architectures
  }

  /// The plan with the feed in every task that makes blocks from packages.
  func provide(_ plan: Plan, environment: FarmEnvironment, notice: @escaping @Sendable (String) -> Void) async throws(FarmError) -> Plan {
    var plan = plan
    do {
      for index in plan.tasks.indices where plan.tasks[index].needsFeed {
        let blocks = plan.tasks[index].builtBlocks.filter(\.needsFeed)
        // A block with a Dockerfile of its own may install anything, so it gets all that there is.
        let takesAll = blocks.contains { if case .dockerfile(_?, _) = $0.origin { true } else { false } }
        plan.tasks[index].feed = try await feed(blocks.map(\.packages), takesAll: takesAll, environment: environment, notice: notice)
      }
      return plan
    } catch is CancellationError {
      throw .cancelled
    } catch {
      throw .usage("the feed \(location) cannot be used: \(error)")
    }
  }

  /// What the blocks' lists stand for; with `takesAll` also the best of everything else.
  private func feed(
    _ lists: [[PackageName]], takesAll: Bool, environment: FarmEnvironment, notice: @escaping @Sendable (String) -> Void
  ) async throws -> ProvidedFeed {
    let blobs = environment.blobs
    switch location {
    case .directory(let root):
      let architectures = architectures
      return try await BlockingWork.run {
        let feed = try PackageFeed(root: root, architectures: FeedDirectory(root, architectures: architectures).architectures)
        let all = takesAll ? feed.candidates.keys.sorted() : []
        return try feed.provide(feed.candidates(for: .best(lists + all.map { [$0] })), into: blobs)
      }
    case .remote(let url):
      let client = try HTTPClient(settings: FeedFetcher.settings(for: url, notice: notice))
      let cache = try FeedCache(store: blobs, records: environment.configuration.state + "/feeds")
      let fetcher = FeedFetcher(url: url, cache: cache, client: client)
      let all = takesAll ? try await fetcher.offers(architectures: architectures).feed.candidates.keys.sorted() : []
      let fetched = try await fetcher.fetch(.best(lists + all.map { [$0] }), architectures: architectures)
      if !fetched.absent.isEmpty { notice("the feed has no directory \(fetched.absent.joined(separator: ", "))") }
      return fetched.provided
    }
  }
}
