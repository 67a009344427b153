/// The key that a host showed when nobody had pinned one yet.
package struct ScannedHostKey: Hashable, Sendable {
  package let fingerprint: HostKeyFingerprint
  /// For example `ssh-ed25519`.
  package let type: String
}
