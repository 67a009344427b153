import BlobStore
import BuildModel
import CanonicalJSON
import FoundationEssentials
import Glibc
import HTTP

import struct Crypto.SHA256

/// What was fetched before: content by digest in a blob store, and for each index a record of how to ask whether it is still the same.
package struct FeedCache: Sendable {
  package let store: BlobStore
  private let records: String

  /// How an index was answered last.
  struct Record: Codable, Sendable {
    /// Always 1.
    var version = 1
    var url: String
    var etag: String?
    var lastModified: String?
    /// The body as it was sent.
    var blob: BlobDescriptor
  }

  /// Uses a store and a directory of records, which is made where it is missing.
  package init(store: BlobStore, records: String) throws(RemoteFeedError) {
    self.store = store
    self.records = records
    if mkdir(records, 0o755) != 0, errno != EEXIST { throw .system(operation: "mkdir", path: records, errno: errno) }
  }

  /// A cache of its own below one directory.
  package init(root: String) throws(RemoteFeedError) {
    if mkdir(root, 0o755) != 0, errno != EEXIST { throw .system(operation: "mkdir", path: root, errno: errno) }
    let store: BlobStore
    do throws(BlobStoreError) { store = try BlobStore(root: root + "/blobs") } catch { throw .store(error) }
    try self.init(store: store, records: root + "/records")
  }

  private func path(of url: HTTPURL) -> String {
    // The query may hold a token: it only goes into the digest.
    "\(records)/\(Digest(bytes: SHA256.hash(data: Array(url.text.utf8)))?.hex ?? "").json"
  }

  /// The record of a URL whose blob is still there. A record that cannot be read counts as none: it is only a way to save time.
  func record(of url: HTTPURL) -> Record? {
    guard let data = FileManager.default.contents(atPath: path(of: url)), data.count <= 64 << 10,
      let record = try? CanonicalJSON.decode(Record.self, from: data), record.version == 1, record.url == url.description,
      store.size(record.blob.digest) == record.blob.size
    else { return nil }
    return record
  }

  func note(_ record: Record, of url: HTTPURL) throws {
    try Data(try CanonicalJSON.encode(record)).write(to: URL(filePath: path(of: url)), options: .atomic)
  }
}
