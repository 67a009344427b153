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

/// Waits and sizes of the sessions to one host.
package struct ConnectionLimits: Hashable, Sendable {
  /// From the name look-up to the end of the log-in.
  package var connect: Duration = .seconds(15)
  /// A host that does not answer a control message (opening a channel, starting a command) for so long makes the session useless.
  package var control: Duration = .seconds(15)
  /// A peer that was silent for this long is asked for a sign of life.
  package var keepalive: Duration = .seconds(30)
  /// After this many intervals without a byte the session is given up.
  package var missedKeepalives = 3
  /// Commands at once on one session; sshd's default MaxSessions is 10.
  package var channelsPerSession = 8
  package var sessions = 8
  package var firstBackoff: Duration = .seconds(1)
  package var longestBackoff: Duration = .seconds(30)

  package init() {}
}
