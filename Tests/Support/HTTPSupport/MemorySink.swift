import BlobStore
import BuildModel
import HTTP
import Synchronization

import struct Crypto.SHA256

/// Collects a body.
package final class MemorySink: BodySink {
  private let state = Mutex<(bytes: [UInt8], begins: [Int64])>(([], []))
  package init() {}
  package var bytes: [UInt8] { state.withLock { $0.bytes } }
  /// The offsets at which the body was begun.
  package var begins: [Int64] { state.withLock { $0.begins } }

  package func begin(at offset: Int64) throws {
    state.withLock {
      $0.begins.append(offset)
      $0.bytes.removeSubrange(Int(offset)...)
    }
  }
  package func receive(_ buffer: UnsafeRawBufferPointer) throws { state.withLock { $0.bytes += buffer } }
}

/// The descriptor of these bytes.
package func blob(_ bytes: [UInt8]) -> BlobDescriptor {
  BlobDescriptor(digest: Digest(bytes: SHA256.hash(data: bytes))!, size: Int64(bytes.count))
}
