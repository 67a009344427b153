import Foundation
import Synchronization
import TestFiles

/// A real sshd on loopback with its own port, host keys and list of keys that may log in. It runs as an ordinary user and lets only that user in.
///
/// ``withPrivateSSHD(_:_:)`` ends it with all its sessions.
package final class PrivateSSHD: Sendable {
  /// Host keys in `host_TYPE`, keys that may log in in `authorized_keys`.
  package let directory: String
  package let user: String
  let settings: Settings
  private let scratch: ScratchDirectory?
  private let running = Mutex<(port: UInt16, child: Child?)>((0, nil))

  package var port: UInt16 { running.withLock { $0.port } }
  /// A private key that may log in.
  package var identity: String { directory + "/id_ed25519" }
  /// Whole lines of its log until now.
  package var logLines: [String] {
    let text = running.withLock { $0.child }?.text(of: .errors) ?? ""
    return text.split(omittingEmptySubsequences: false) { $0.isNewline }.dropLast().map { String($0) }
  }
  /// The process that listens.
  package var listener: pid_t? { running.withLock { $0.child?.pid } }

  /// Starts it and waits until it listens.
  package init(_ settings: Settings = Settings()) throws {
    self.settings = settings
    let scratch = settings.directory == nil ? try ScratchDirectory() : nil
    self.scratch = scratch
    directory = settings.directory ?? scratch?.path ?? ""
    user = settings.isOrdinaryUser ? OrdinaryUser.name : NSUserName()
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    for type in settings.hostKeys { try makeKey("host_" + type, type: type) }
    if settings.authorizedKey == nil { try makeKey("id_ed25519") }
    try authorize(settings.authorizedKey ?? identity + ".pub")
    try start()
  }

  deinit { end() }

  /// Makes a key pair in its directory; gives the path of the private one.
  @discardableResult
  package func makeKey(_ name: String, type: String = "ed25519", phrase: String = "") throws -> String {
    try SSHKey.make("\(directory)/\(name)", type: type, phrase: phrase)
    return "\(directory)/\(name)"
  }

  /// Lets the owner of this public key in, and nobody else.
  package func authorize(_ publicKey: String) throws {
    try write(try Array(Data(contentsOf: URL(filePath: publicKey))), to: directory + "/authorized_keys")
  }

  /// The fingerprint of a host key, as `SHA256:…`.
  package func fingerprintText(_ type: String = "ed25519") throws -> String { try SSHKey.fingerprint("\(directory)/host_\(type).pub") }

  // MARK: Running

  /// Starts it again after ``stop()``, on the port that it had.
  package func start() throws {
    // sshd run by root insists on this directory, which an init script makes elsewhere.
    if getuid() == 0, !settings.isOrdinaryUser { try FileManager.default.createDirectory(atPath: "/run/sshd", withIntermediateDirectories: true) }
    for attempt in 1... {
      let old = port
      let port = old == 0 || attempt > 1 ? try freePort() : old
      try write(Array(configuration(port).utf8), to: directory + "/sshd_config")
      if settings.isOrdinaryUser { try OrdinaryUser.own(directory) }
      let child = try Child(
        try account() + ["/usr/sbin/sshd", "-f", directory + "/sshd_config", "-D", "-e"],
        environment: settings.isOrdinaryUser ? ["PATH": Tool.environment["PATH"] ?? "", "HOME": directory, "LANG": "C.UTF-8"] : nil,
        directory: directory, limit: 3600)
      do {
        try child.waitFor("Server listening on", seconds: 10)
        running.withLock { $0 = (port, child) }
        return
      } catch {
        child.end()
        // Somebody else may have taken the port meanwhile.
        guard attempt < 5 else { throw error }
      }
    }
  }

  /// Ends it and all its sessions, as when a host goes down; what they have left behind goes on.
  package func stop() {
    guard let child = running.withLock({ $0.child }) else { return }
    // Stopped, it cannot begin a session that the list would miss. Sessions have process groups of their own.
    child.signal(SIGSTOP)
    let sessions = sessions()
    for pid in sessions { kill(pid, SIGKILL) }
    child.end()
    for pid in sessions { _ = ProcessTable.waitForEnd(of: pid, seconds: 10) }
    running.withLock { $0.child = nil }
  }

  /// Ends it for good, with all that was started over it: a command outlives its session when the connection is cut.
  package func end() {
    stop()
    let left = ProcessTable.processes(with: mark)
    for pid in left { kill(pid, SIGKILL) }
    for pid in left { _ = ProcessTable.waitForEnd(of: pid, seconds: 10) }
  }

  /// The processes that it made for its connections, and theirs.
  package func sessions() -> [pid_t] { listener.map { ProcessTable.descendants(of: $0) } ?? [] }

  package func signalSessions(_ signal: Int32) { for pid in sessions() { kill(pid, signal) } }
}
