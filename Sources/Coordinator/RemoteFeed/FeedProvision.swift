import BlobStore
import BoundedConcurrency
import BuildModel
import Feed
import FoundationEssentials
import HTTP

/// A feed that exists already, a directory or one behind http: what blocks need of it is taken into the store, checked.
package struct FeedProvision: Sendable {
  package let location: FeedLocation
  /// PACKAGE_ARCHS, lowest preference first.
  package let architectures: [String]

  package init(location: String, architectures: [String]?) throws(RemoteFeedError) {
    self.location = try FeedLocation(location)
    guard let architectures else { throw .noArchitectures }
    self.architectures = architectures
  }

  /// A feed with what the blocks' lists stand for; with `takesAll` also the best of everything else. `records` is the directory that remembers what a remote feed
  /// said last time.
  package func feed(
    _ lists: [[PackageName]], takesAll: Bool, into blobs: BlobStore, records: String, notice: @escaping @Sendable (String) -> Void
  ) async throws -> ProvidedFeed {
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
      let fetcher = FeedFetcher(url: url, cache: try FeedCache(store: blobs, records: records), client: client)
      let all = takesAll ? try await fetcher.offers(architectures: architectures).feed.candidates.keys.sorted() : []
      let fetched = try await fetcher.fetch(.best(lists + all.map { [$0] }), architectures: architectures)
      if !fetched.absent.isEmpty { notice("the feed has no directory \(fetched.absent.joined(separator: ", "))") }
      return fetched.provided
    }
  }
}
