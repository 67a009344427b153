import TestPeers

@testable import Executors

extension PrivateSSHD {
  func fingerprint(_ type: String = "ed25519") throws -> HostKeyFingerprint {
    guard let fingerprint = HostKeyFingerprint(try fingerprintText(type)) else { throw PeerError("ssh-keygen gives no fingerprint") }
    return fingerprint
  }

  func destination(hostKey: HostKeyFingerprint? = nil, identity: SSHDestination.Identity? = nil) throws -> SSHDestination {
    SSHDestination(
      name: "arm-1", host: "127.0.0.1", port: port, user: user, hostKey: try hostKey ?? fingerprint(),
      identity: identity ?? .file(self.identity))
  }

  func connection(limits: ConnectionLimits = ConnectionLimits()) throws -> HostConnection {
    HostConnection(destination: try destination(), loop: try testLoop(), limits: limits)
  }
}
