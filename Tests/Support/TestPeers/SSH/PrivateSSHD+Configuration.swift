import Foundation
import TestFiles

extension PrivateSSHD {
  package struct Settings: Sendable {
    package var address: String
    /// Types, the preferred one first.
    package var hostKeys: [String]
    /// Further lines of its configuration.
    package var options: [String]
    /// What bash reads before a command.
    package var startupFile: String?
    /// Where its files lie; nil is a scratch directory.
    package var directory: String?
    /// The public key that may log in; nil is that of ``PrivateSSHD/identity``.
    package var authorizedKey: String?
    /// As ``OrdinaryUser`` instead of the account that runs the tests.
    package var isOrdinaryUser = false

    package init(address: String = "127.0.0.1", hostKeys: [String] = ["ed25519"], options: [String] = [], startupFile: String? = nil) {
      (self.address, self.hostKeys, self.options, self.startupFile) = (address, hostKeys, options, startupFile)
    }
  }

  /// A variable that everything has which was started over a connection.
  var mark: String { "BLOCKFARM_TEST_HOST=\(directory)" }

  func configuration(_ port: UInt16) -> String {
    // Without PAM, an sshd that cannot read the shadow file takes every account for locked; with it, root's would need its session set-up.
    let pam = getuid() == 0 && !settings.isOrdinaryUser ? "no" : "yes"
    let lines =
      [
        "Port \(port)", "ListenAddress \(settings.address)", "UsePAM \(pam)", "PasswordAuthentication no", "KbdInteractiveAuthentication no",
        "StrictModes no", "PidFile none", "PermitRootLogin yes", "AuthorizedKeysFile \(directory)/authorized_keys", "LogLevel VERBOSE",
        "MaxStartups 1000:30:1000",
        // Debian's bash reads ~/.bashrc for a command over SSH unless it is nested: what the tester has in there must not count.
        "SetEnv SHLVL=5 \(mark)\(settings.startupFile.map { " BASH_ENV=\($0)" } ?? "")",
      ] + settings.hostKeys.map { "HostKey \(directory)/host_\($0)" } + settings.options
    return lines.joined(separator: "\n") + "\n"
  }

  /// `nobody` has no shell, so where root runs the tests an sshd of an ordinary user sees an account list in which it has one.
  func account() throws -> [String] {
    guard settings.isOrdinaryUser, getuid() == 0 else { return [] }
    let list = directory + "/passwd"
    try write(Array("root:x:0:0::/root:/bin/bash\nnobody:x:65534:65534::\(directory):/bin/bash\n".utf8), to: list)
    return ["unshare", "--mount", "sh", "-c", "mount --bind \"$1\" /etc/passwd && shift && exec \"$@\"", "sh", list] + OrdinaryUser.words
  }
}
