import Foundation
import Synchronization
import TestFiles
import TestPeers

@testable import Executors

/// A real sshd of our own on loopback: own port, host keys and authorized keys; it runs as the current user and ends with the last reference.
final class PrivateSSHD: Sendable {
  let scratch: ScratchDirectory
  let port: UInt16
  let listener: pid_t
  let user: String
  private let log: LogTap

  /// Lines of sshd's own log until now.
  var logLines: [String] { log.lines }
  var identity: String { scratch.path + "/id_ed25519" }

  init(address: String = "127.0.0.1", hostKeys: [String] = ["ed25519"], options: [String] = [], startupFile: String? = nil) throws {
    let scratch = try ScratchDirectory()
    self.scratch = scratch
    user = try Tool.run(["id", "-un"]).trimmingCharacters(in: .whitespacesAndNewlines)
    // sshd run by root insists on this directory, which an init script makes elsewhere.
    if getuid() == 0 { try FileManager.default.createDirectory(atPath: "/run/sshd", withIntermediateDirectories: true) }
    try Self.makeKey("id_ed25519", in: scratch)
    for type in hostKeys { try Self.makeKey("host_\(type)", type: type, in: scratch) }
    try Tool.run(["cp", scratch.path + "/id_ed25519.pub", scratch.path + "/authorized"])

    for attempt in 1... {
      let port = try Self.freePort()
      let lines =
        [
          "Port \(port)", "ListenAddress \(address)", "UsePAM \(geteuid() == 0 ? "no" : "yes")", "PasswordAuthentication no",
          "KbdInteractiveAuthentication no",
          "StrictModes no", "PidFile none", "PermitRootLogin yes", "AuthorizedKeysFile \(scratch.path)/authorized", "LogLevel VERBOSE",
          "MaxStartups 1000:30:1000",
          // Debian's bash reads ~/.bashrc for a command over SSH unless it is nested: what the tester has in there must not count.
          "SetEnv SHLVL=5\(startupFile.map { " BASH_ENV=\($0)" } ?? "")",
        ] + hostKeys.map { "HostKey \(scratch.path)/host_\($0)" } + options
      let configuration = try scratch.write(lines.joined(separator: "\n") + "\n", to: "sshd_config")
      let program = try Started(["/usr/sbin/sshd", "-f", configuration, "-D", "-e"], piping: 2)
      let log = LogTap(program)
      if log.waitFor("Server listening on") {
        (self.port, self.log, listener) = (port, log, program.pid)
        return
      }
      // Somebody else may have taken the port meanwhile.
      guard attempt < 5 else { throw PeerError("sshd: \(log.lines.joined(separator: "; "))") }
    }
    throw PeerError("sshd")
  }

  deinit {
    let children = sessions()
    kill(listener, SIGKILL)
    for child in children { kill(child, SIGKILL) }
    waitpid(listener, nil, 0)
  }

  /// The processes that sshd made for its connections, and theirs.
  func sessions() -> [pid_t] {
    var parents: [pid_t: pid_t] = [:]
    for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
      guard let pid = pid_t(name), let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
        let end = stat.lastIndex(of: ")")
      else { continue }
      let fields = stat[stat.index(after: end)...].split(separator: " ")
      if fields.count > 1, let parent = pid_t(fields[1]) { parents[pid] = parent }
    }
    var found: [pid_t] = []
    var level = [listener]
    while !level.isEmpty {
      level = parents.filter { level.contains($0.value) }.map(\.key)
      found += level
    }
    return found
  }

  func signalSessions(_ signal: Int32) { for pid in sessions() { kill(pid, signal) } }

  func fingerprint(_ type: String = "ed25519") throws -> HostKeyFingerprint {
    let words = try Tool.run(["ssh-keygen", "-lf", scratch.path + "/host_\(type).pub"]).split(separator: " ")
    guard words.count > 1, let fingerprint = HostKeyFingerprint(String(words[1])) else { throw PeerError("a fingerprint") }
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

  static func makeKey(_ name: String, type: String = "ed25519", phrase: String = "", in scratch: ScratchDirectory) throws {
    try Tool.run(["ssh-keygen", "-q", "-t", type, "-N", phrase, "-f", scratch.path + "/" + name])
  }

  static func freePort() throws -> UInt16 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let code = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) | getsockname(descriptor, $0, &length) }
    }
    guard code == 0 else { throw PeerError("a free port") }
    return UInt16(bigEndian: address.sin_port)
  }
}

/// Collects what a program logs and wakes whoever waits for a line.
final class LogTap: Sendable {
  private struct State {
    var lines: [String] = []
    var rest = ""
    var hasEnded = false
  }
  private let state = Mutex(State())
  private let changed = DispatchSemaphore(value: 0)

  init(_ program: Started) {
    Thread.detachNewThread { [self] in
      while case let bytes = program.read(), !bytes.isEmpty { take(bytes) }
      take([])
      close(program.reading)
    }
  }

  var lines: [String] { state.withLock { $0.lines } }

  private func take(_ bytes: [UInt8]) {
    state.withLock { state in
      if bytes.isEmpty { state.hasEnded = true }
      state.rest += String(decoding: bytes, as: UTF8.self)
      var parts = state.rest.split(omittingEmptySubsequences: false) { $0.isNewline }.map { String($0) }
      state.rest = parts.removeLast()
      state.lines += parts
    }
    changed.signal()
  }

  /// False when the program ended, or ten seconds passed, without such a line.
  func waitFor(_ text: String) -> Bool {
    let limit = DispatchTime.now() + 10
    while true {
      let (isThere, hasEnded) = state.withLock { state in (state.lines.contains { $0.contains(text) }, state.hasEnded) }
      if isThere { return true }
      if hasEnded || changed.wait(timeout: limit) == .timedOut { return false }
    }
  }
}
