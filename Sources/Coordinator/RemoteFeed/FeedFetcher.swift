import BlobStore
import BoundedConcurrency
import BuildModel
import Feed
import FoundationEssentials
import Glibc
import HTTP

/// Reads a feed over http or https. HTTP has no listing, so the directories are those that PACKAGE_ARCHS names.
package struct FeedFetcher: Sendable {
  /// The directory above the architectures.
  package let url: HTTPURL
  package let cache: FeedCache
  let client: HTTPClient

  /// Larger answers to an index are refused.
  static let indexLimit: Int64 = 256 << 20
  /// Transfers at once.
  static let width = 8

  package init(url: HTTPURL, cache: FeedCache, client: HTTPClient) {
    self.url = url
    self.cache = cache
    self.client = client
  }

  /// Settings for feeds: the host of an http URL that somebody gave may be spoken to without TLS, no other one.
  package static func settings(for url: HTTPURL, notice: @escaping @Sendable (String) -> Void) -> HTTPSettings {
    var settings = HTTPSettings()
    settings.notice = notice
    if url.origin.scheme == .http { settings.plainHTTP = .hosts([url.origin.host]) }
    return settings
  }

  /// One file of the feed.
  func address(_ components: [String]) throws(RemoteFeedError) -> HTTPURL {
    var base = url.path
    while base.hasSuffix("/") { base.removeLast() }
    let path = ([base] + components.map { HTTPURL.encode($0) }).joined(separator: "/")
    do throws(HTTPError) {
      return try HTTPURL("\(url.origin)\(path)\(url.query.map { "?" + $0 } ?? "")")
    } catch { throw .cloud(error) }
  }

  /// A file that may have changed since it was fetched last, as a blob; nil when the server does not have it.
  func document(_ components: [String], asking revalidation: Revalidation) async throws -> BlobDescriptor? {
    let url = try address(components)
    let known = revalidation.isAllowed ? try await BlockingWork.run { cache.record(of: url) } : nil
    var request = HTTPRequest(.get, url)
    // A strong or weak ETag will do: the bytes are checked by whoever uses them.
    if let tag = known?.etag { request.fields["If-None-Match"] = tag }
    if let time = known?.lastModified { request.fields["If-Modified-Since"] = time }
    let sink = StoreSink(store: cache.store)
    defer { sink.discard() }
    do {
      let answer = try await client.download(request, into: sink, limit: Self.indexLimit)
      return try await BlockingWork.run {
        guard let blob = try sink.finish() else { return nil }
        // What changed in the second in which it was sent may change again in it (RFC 9110 section 8.8.2.2).
        let time = answer.fields["Last-Modified"].flatMap { $0 == answer.fields["Date"] ? nil : $0 }
        try cache.note(.init(url: url.description, etag: answer.fields["ETag"], lastModified: time, blob: blob), of: url)
        return blob
      }
    } catch let error as HTTPError {
      if error.status == 304, let known {
        revalidation.noteUse()
        return known.blob
      }
      if error.status == 404 || error.status == 410 { return nil }
      throw error
    }
  }

  /// A package file, checked against its stanza; whether it had to be fetched.
  func package(_ stanza: PackageStanza, in architecture: String) async throws -> (blob: BlobDescriptor, isFetched: Bool) {
    let url = try address([architecture] + stanza.file.text.split(separator: "/").map(String.init))
    if let digest = stanza.sha256 {
      let blob = BlobDescriptor(digest: digest, size: stanza.size)
      if cache.store.size(digest) == stanza.size { return (blob, false) }
      try await client.download(HTTPRequest(.get, url), into: cache.store, expecting: blob)
      return (blob, true)
    }
    // Only md5 vouches for it, so nothing says by which name it would be in the store.
    let components = [architecture] + stanza.file.text.split(separator: "/").map(String.init)
    guard let blob = try await document(components, asking: Revalidation(isAllowed: false)) else {
      throw FeedError.inconsistent(file: url.description, reason: "is listed but not there")
    }
    return try await BlockingWork.run {
      try PackageFeed.verify(stanza, at: cache.store.path(blob.digest))
      return (blob, true)
    }
  }

  /// A directory of links that is gone afterwards.
  func withScratch<Value>(_ body: (String) async throws -> Value) async throws(RemoteFeedError) -> Value {
    let scratch = "\(cache.store.root)/feed-\(UUID().uuidString)"
    guard mkdir(scratch, 0o755) == 0 else { throw .system(operation: "mkdir", path: scratch, errno: errno) }
    defer { try? FileManager.default.removeItem(atPath: scratch) }
    do { return try await body(scratch) } catch { throw RemoteFeedError(error) }
  }
}
