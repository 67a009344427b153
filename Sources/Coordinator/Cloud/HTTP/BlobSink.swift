import BlobStore
import BuildModel

/// A body that becomes a blob.
///
/// Never used by two threads at once: the client calls its sinks one after the other, and `finish` comes after it.
final class BlobSink: BodySink, @unchecked Sendable {
  private let store: BlobStore
  private var writer: BlobWriter?

  init(store: BlobStore) { self.store = store }

  /// Removes what is not finished.
  func discard() { writer = nil }

  func begin(at offset: Int64) throws {
    do throws(BlobStoreError) {
      if offset == 0 { writer = try BlobWriter(store: store) }
    } catch { throw CloudError.store(error) }
  }

  func receive(_ bytes: UnsafeRawBufferPointer) throws {
    do throws(BlobStoreError) { try writer?.write(bytes) } catch { throw CloudError.store(error) }
  }

  func finish(expecting expected: BlobDescriptor, source: String) throws {
    do throws(BlobStoreError) {
      _ = try writer?.finish(expecting: expected)
    } catch {
      if case .mismatch(_, let found, _) = error {
        throw CloudError.mismatch(what: source, expected: "\(expected.digest) (\(expected.size) bytes)", found: found.map { "\($0)" } ?? "nothing")
      }
      throw CloudError.store(error)
    }
  }
}
