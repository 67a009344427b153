import BuildModel

import struct Crypto.SHA256

/// What a repository's mirror is called, here and on the workers.
enum MirrorName {
  /// Equal texts give equal names.
  static func of(_ text: String) -> Digest {
    // 32 bytes always make a digest.
    Digest(bytes: SHA256.hash(data: Array(text.utf8)))!
  }
}
