import FoundationEssentials

import struct Crypto.SHA256

/// A host key's fingerprint as `ssh-keygen -l` prints it: `SHA256:` and 43 characters of unpadded base64.
package struct HostKeyFingerprint: Hashable, Sendable, CustomStringConvertible {
  package let text: String

  /// nil when the text has another form.
  package init?(_ text: String) {
    guard text.hasPrefix("SHA256:"), text.utf8.count == 50,
      let hash = Data(base64Encoded: String(text.dropFirst(7)) + "="), hash.count == 32
    else { return nil }
    self.text = text
  }

  /// Of a public key blob as it goes over the wire (RFC 4253 section 6.6).
  init(keyBlob: [UInt8]) {
    let base64 = Data(SHA256.hash(data: keyBlob)).base64EncodedString()
    text = "SHA256:" + base64.prefix { $0 != "=" }
  }

  package var description: String { text }
}
