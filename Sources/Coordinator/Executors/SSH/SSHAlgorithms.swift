import CSSH2

/// The algorithms that sessions are made with: the current ones of libssh2 1.10, and what a host's file names in addition.
///
/// Chosen as OpenSSH 9 does, as far as libssh2 1.10 has them: it has no ChaCha20-Poly1305, no AES-GCM and no encrypt-then-MAC. The key exchanges
/// over large prime groups are left out although OpenSSH still has them: one costs libssh2 up to half a second, on the thread of all sessions.
package struct SSHAlgorithms: Hashable, Sendable {
  /// What an algorithm is for.
  package enum Purpose: CaseIterable, Hashable, Sendable {
    case keyExchange, hostKey, cipher, integrity
  }

  /// No longer current, and used with a host whose file names them; no others can be named.
  private static let outdated: [Purpose: [String]] = [
    .keyExchange: [
      "diffie-hellman-group16-sha512", "diffie-hellman-group14-sha256", "diffie-hellman-group-exchange-sha256", "diffie-hellman-group14-sha1",
    ],
    // An RSA host key, with SHA-1 signatures: libssh2 1.10 knows no others.
    .hostKey: ["ssh-rsa"],
    .cipher: ["aes256-cbc", "aes128-cbc"],
    .integrity: ["hmac-sha1"],
  ]
  private static let current: [Purpose: [String]] = [
    .keyExchange: [
      "curve25519-sha256", "curve25519-sha256@libssh.org", "ecdh-sha2-nistp256", "ecdh-sha2-nistp384", "ecdh-sha2-nistp521",
    ],
    .hostKey: ["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"],
    // The faster one first: none of the three has a known weakness.
    .cipher: ["aes128-ctr", "aes192-ctr", "aes256-ctr"],
    .integrity: ["hmac-sha2-256", "hmac-sha2-512"],
  ]

  /// Every name that can be added.
  package static let addable = Purpose.allCases.flatMap { outdated[$0] ?? [] }

  /// Named for this host alone; each is one of ``addable``.
  package let added: [String]

  /// Nothing but current ones.
  package init() { added = [] }

  /// nil when a name is not one of ``addable``.
  package init?(adding names: [String]) {
    guard names.allSatisfy(Self.addable.contains) else { return nil }
    added = names
  }

  /// Accepted for a purpose, the preferred one first.
  package func accepted(_ purpose: Purpose) -> [String] {
    (Self.current[purpose] ?? []) + (Self.outdated[purpose] ?? []).filter(added.contains)
  }

  /// The name that may be added so that one of these is accepted.
  static func addable(_ purpose: Purpose, of offered: [String]) -> String? { outdated[purpose]?.first(where: offered.contains) }

  /// The methods of libssh2 that stand for a purpose: one for each direction where the directions can differ.
  static func methods(_ purpose: Purpose) -> [Int32] {
    switch purpose {
    case .keyExchange: [LIBSSH2_METHOD_KEX]
    case .hostKey: [LIBSSH2_METHOD_HOSTKEY]
    case .cipher: [LIBSSH2_METHOD_CRYPT_CS, LIBSSH2_METHOD_CRYPT_SC]
    case .integrity: [LIBSSH2_METHOD_MAC_CS, LIBSSH2_METHOD_MAC_SC]
    }
  }
}

extension SSHAlgorithms.Purpose: CustomStringConvertible {
  package var description: String {
    switch self {
    case .keyExchange: "key exchange"
    case .hostKey: "host key"
    case .cipher: "cipher"
    case .integrity: "MAC"
    }
  }
}
