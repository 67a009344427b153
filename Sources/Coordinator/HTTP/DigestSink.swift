import BuildModel

import struct Crypto.SHA256

/// A body of which only the digest is wanted.
///
/// Unchecked, because the hash is a plain variable. Safe, because the client calls its sinks one after the other, as with ``BlobSink``.
package final class DigestSink: BodySink, @unchecked Sendable {
  private var hash = SHA256()
  private var size: Int64 = 0

  package init() {}

  /// A body that goes on where it was cut comes from the same content, so the hash goes on as well.
  package func begin(at offset: Int64) {
    if offset == 0 { (hash, size) = (SHA256(), 0) }
  }

  package func receive(_ bytes: UnsafeRawBufferPointer) {
    hash.update(bufferPointer: bytes)
    size += Int64(bytes.count)
  }

  /// Call when the download has ended.
  package func finish(expecting expected: BlobDescriptor, source: String) throws(HTTPError) {
    let found = Digest(bytes: hash.finalize())
    guard found == expected.digest, size == expected.size else {
      throw .mismatch(
        what: source, expected: "\(expected.digest) (\(expected.size) bytes)", found: "\(found.map { "\($0)" } ?? "nothing") (\(size) bytes)")
    }
  }
}
