import FoundationEssentials

/// Keys as ssh-keygen makes them.
package enum SSHKey {
  /// Makes a key pair in `path` and `path.pub`; a pair that is there is replaced.
  package static func make(_ path: String, type: String = "ed25519", phrase: String = "") throws {
    for file in [path, path + ".pub"] { try? FileManager.default.removeItem(atPath: file) }
    try Tool.run("ssh-keygen", "-q", "-t", type, "-N", phrase, "-C", "", "-f", path)
  }

  /// As `SHA256:…`.
  package static func fingerprint(_ path: String) throws -> String {
    let words = try Tool.run("ssh-keygen", "-lf", path).split(separator: " ")
    guard words.count > 1 else { throw PeerError("ssh-keygen gives no fingerprint of \(path)") }
    return String(words[1])
  }
}
