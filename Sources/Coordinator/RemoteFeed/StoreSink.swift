import BlobStore
import BuildModel
import HTTP

/// A body of which nothing is known before it comes, as a blob.
///
/// Unchecked, because a `BlobWriter` is not Sendable. Safe, because the client calls its sinks one after the other, and whoever made the sink uses it
/// before and after the download only.
final class StoreSink: BodySink, @unchecked Sendable {
  private let store: BlobStore
  private var writer: BlobWriter?

  init(store: BlobStore) { self.store = store }

  /// Removes what is not finished.
  func discard() { writer = nil }

  func begin(at offset: Int64) throws {
    if offset == 0 { writer = try BlobWriter(store: store) }
  }

  func receive(_ bytes: UnsafeRawBufferPointer) throws { try writer?.write(bytes) }

  func finish() throws -> BlobDescriptor? {
    defer { writer = nil }
    return try writer?.finish(expecting: nil)
  }
}
