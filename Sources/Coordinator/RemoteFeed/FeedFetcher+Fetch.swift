import BlobStore
import BoundedConcurrency
import BuildModel
import Feed
import Glibc

/// Packages of a remote feed, in the blob store.
package struct FetchedFeed: Sendable {
  package var provided: ProvidedFeed
  /// Directories of PACKAGE_ARCHS that the feed does not have.
  package var absent: [String]
  /// Packages that were transferred; the others were in the store.
  package var transferred: Int
  package var transferredBytes: Int64
}

extension FeedFetcher {
  /// Fetches the indexes, chooses from them, and fetches only what was chosen.
  ///
  /// `architectures` is PACKAGE_ARCHS, lowest preference first. Everything is checked against its index before it is in the store under its digest.
  package func fetch(_ wish: FeedWish, architectures: [String]) async throws(RemoteFeedError) -> FetchedFeed {
    let names = try Self.directories(architectures)
    return try await revalidating { (revalidation) throws(RemoteFeedError) in try await fetch(wish, from: names, asking: revalidation) }
  }

  private func fetch(_ wish: FeedWish, from names: [String], asking revalidation: Revalidation) async throws(RemoteFeedError) -> FetchedFeed {
    try await withScratch { scratch in
      let (feed, absent) = try await indexes(names, in: scratch, asking: revalidation)
      let chosen = try feed.candidates(for: wish)
      let fetched = try await chosen.concurrentMap(atOnce: Self.width) { candidate in
        let found = try await package(candidate.stanza, in: candidate.directory)
        return (candidate, found.blob, found.isFetched)
      }
      let packages = try fetched.map { candidate, blob, _ in
        let path = "\(candidate.directory)/\(candidate.stanza.file.text)"
        guard let safe = RelativePath(path) else { throw FeedError.malformed(file: path, reason: "is no path below a feed") }
        return ProvidedFeed.File(path: safe, blob: blob)
      }
      let indexes = try await BlockingWork.run { try feed.indexes(of: chosen, into: cache.store) }
      let new = fetched.filter(\.2)
      return FetchedFeed(
        provided: ProvidedFeed(architectures: feed.architectures, files: indexes + packages), absent: absent, transferred: new.count,
        transferredBytes: new.reduce(0) { $0.addingSaturated($1.1.size) })
    }
  }

  /// All that the indexes offer; no package is fetched. The value's paths are gone when the call returns.
  package func offers(architectures: [String]) async throws(RemoteFeedError) -> (feed: PackageFeed, absent: [String]) {
    let names = try Self.directories(architectures)
    return try await revalidating { (revalidation) throws(RemoteFeedError) in
      try await withScratch { scratch in
        let (feed, absent) = try await indexes(names, in: scratch, asking: revalidation)
        return (feed: feed, absent: absent)
      }
    }
  }

  /// PACKAGE_ARCHS as names of directories, each once.
  static func directories(_ architectures: [String]) throws(RemoteFeedError) -> [String] {
    for name in architectures {
      let isName = name.utf8.allSatisfy { (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || "-_.+".utf8.contains($0) }
      guard isName, !name.isEmpty, name.utf8.count <= 128, name.first != "." else { throw .architecture(name) }
    }
    return PackageFeed.ordered(architectures)
  }

  /// Lays the indexes out below `scratch` and reads them.
  private func indexes(_ names: [String], in scratch: String, asking revalidation: Revalidation) async throws -> (PackageFeed, absent: [String]) {
    let found = try await names.concurrentMap(atOnce: Self.width) { name -> BlobDescriptor? in
      if let packed = try await document([name, "Packages.gz"], asking: revalidation) {
        return try await BlockingWork.run { try inflate(packed, of: name) } as BlobDescriptor?
      }
      return try await document([name, "Packages"], asking: revalidation)
    }
    let there = zip(names, found).filter { $1 != nil }.map(\.0)
    guard !there.isEmpty else { throw RemoteFeedError.noIndex(feed: url.description, architectures: names) }
    let feed = try await BlockingWork.run {
      for (name, blob) in zip(names, found) {
        guard let blob else { continue }
        try link(blob, to: "\(scratch)/\(name)", as: "Packages")
      }
      return try PackageFeed(root: scratch, architectures: names)
    }
    return (feed, names.filter { !there.contains($0) })
  }

  /// The index inside a compressed one, as a blob of its own.
  func inflate(_ packed: BlobDescriptor, of name: String) throws -> BlobDescriptor {
    let writer = try BlobWriter(store: cache.store)
    do {
      try GzipFile.inflate(cache.store.path(packed.digest), limit: PackageIndex.byteLimit) { try writer.write($0) }
    } catch FeedError.malformed(_, let reason) {
      throw FeedError.malformed(file: "\(url)/\(name)/Packages.gz", reason: reason)
    }
    return try writer.finish(expecting: nil)
  }

  func link(_ blob: BlobDescriptor, to directory: String, as name: String) throws {
    guard mkdir(directory, 0o755) == 0 || errno == EEXIST else { throw RemoteFeedError.system(operation: "mkdir", path: directory, errno: errno) }
    try cache.store.link(blob.digest, to: "\(directory)/\(name)")
  }
}
