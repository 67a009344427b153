import BlobStore
import BuildModel

import struct Crypto.SHA256

/// The sha256 of a file's content.
package enum FileDigest {
  package static func of(_ path: String) throws(BlobStoreError) -> Digest? {
    var hash = SHA256()
    try FileReader.read(path) { hash.update(bufferPointer: $0) }
    return Digest(bytes: hash.finalize())
  }
}
