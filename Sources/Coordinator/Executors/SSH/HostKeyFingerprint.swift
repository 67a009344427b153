import EventLoop
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

/// The key that a host showed when nobody had pinned one yet.
package struct ScannedHostKey: Hashable, Sendable {
  package let fingerprint: HostKeyFingerprint
  /// For example `ssh-ed25519`.
  package let type: String
}

/// Asks a host for its key without logging in, for `worker add`. ed25519 is preferred, then ECDSA.
package func scanHostKey(host: String, port: UInt16, loop: DescriptorLoop, limit: Duration = .seconds(15)) async throws -> ScannedHostKey {
  let session = SSHSession(loop: loop, hostName: "\(host):\(port)")
  do {
    let key = try await session.connect(host: host, port: port, keyTypes: .any, until: .now + limit)
    await session.close()
    return key
  } catch {
    await session.close()
    throw error
  }
}
