import BlobStore
import BuildModel

/// A body that becomes a blob.
///
/// Unchecked, because a `BlobWriter` is not Sendable and cannot be shared by a lock together with the buffers that it is given. Safe, because the client
/// calls its sinks one after the other, on the queue of their ``SinkFeed``, and whoever made the sink uses it before and after the download only.
final class BlobSink: BodySink, @unchecked Sendable {
  private let store: BlobStore
  private var writer: BlobWriter?

  init(store: BlobStore) { self.store = store }

  /// Removes what is not finished.
  func discard() { writer = nil }

  func begin(at offset: Int64) throws {
    do throws(BlobStoreError) {
      if offset == 0 { writer = try BlobWriter(store: store) }
    } catch { throw HTTPError.store(error) }
  }

  func receive(_ bytes: UnsafeRawBufferPointer) throws {
    do throws(BlobStoreError) { try writer?.write(bytes) } catch { throw HTTPError.store(error) }
  }

  func finish(expecting expected: BlobDescriptor, source: String) throws {
    do throws(BlobStoreError) {
      _ = try writer?.finish(expecting: expected)
    } catch {
      if case .mismatch(_, let found, _) = error {
        throw HTTPError.mismatch(what: source, expected: "\(expected.digest) (\(expected.size) bytes)", found: found.map { "\($0)" } ?? "nothing")
      }
      throw HTTPError.store(error)
    }
  }
}
