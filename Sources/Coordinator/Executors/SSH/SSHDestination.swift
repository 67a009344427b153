/// Where a host is, who it must be and who we are there.
package struct SSHDestination: Hashable, Sendable {
  package enum Identity: Hashable, Sendable, CustomStringConvertible {
    /// The agent at `$SSH_AUTH_SOCK`.
    case agent
    /// An unencrypted ed25519 or ECDSA private key.
    case file(String)

    package var description: String {
      switch self {
      case .agent: "the SSH agent"
      case .file(let path): path
      }
    }
  }

  /// The host's name in the configuration, for messages.
  package var name: String
  /// Name or address.
  package var host: String
  package var port: UInt16
  package var user: String
  package var hostKey: HostKeyFingerprint
  package var identity: Identity
  package var algorithms: SSHAlgorithms

  package init(
    name: String, host: String, port: UInt16, user: String, hostKey: HostKeyFingerprint, identity: Identity,
    algorithms: SSHAlgorithms = SSHAlgorithms()
  ) {
    self.name = name
    self.host = host
    self.port = port
    self.user = user
    self.hostKey = hostKey
    self.identity = identity
    self.algorithms = algorithms
  }
}
