import Foundation
import TestPeers
import Testing

/// A worker host: a private sshd on loopback that lets the farm's own account in, with keys, port and worker root below the farm's directory.
final class PrivateHost {
  let name: String
  let user: String
  private(set) var port = 0
  private let farm: SampleFarm
  private var sshd: Child?

  var directory: String { "\(farm.directory)/hosts/\(name)" }
  var root: String { directory + "/blockfarm" }
  var address: String { "\(user)@127.0.0.1:\(port)" }

  init(_ name: String, of farm: SampleFarm) throws {
    (self.name, self.farm) = (name, farm)
    user = getuid() == 0 ? "nobody" : NSUserName()
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    if !FileManager.default.fileExists(atPath: farm.directory + "/id_ed25519") { try Self.makeKey(farm.directory + "/id_ed25519") }
    try Self.makeKey(directory + "/host_key")
    try FileManager.default.copyItem(atPath: farm.directory + "/id_ed25519.pub", toPath: directory + "/authorized_keys")
    try start()
  }

  deinit { stop() }

  static func makeKey(_ path: String, type: String = "ed25519") throws {
    for file in [path, path + ".pub"] { try? FileManager.default.removeItem(atPath: file) }
    let made = try Child(
      ["ssh-keygen", "-q", "-t", type, "-N", "", "-C", "", "-f", path], environment: SampleFarm.environment(home: "/"), directory: "/"
    ).wait()
    guard made.status == 0 else { throw PeerError("ssh-keygen: \(made.errors)") }
  }

  /// Starts (again), on the port that it had. Without PAM, an sshd that cannot read the shadow file takes every account for locked.
  func start() throws {
    for attempt in 1... {
      if attempt > 1 || port == 0 { port = try Self.freePort() }
      try farm.write(
        """
        Port \(port)
        ListenAddress 127.0.0.1
        HostKey \(directory)/host_key
        AuthorizedKeysFile \(directory)/authorized_keys
        UsePAM yes
        PasswordAuthentication no
        KbdInteractiveAuthentication no
        StrictModes no
        PidFile none
        MaxStartups 100:30:200

        """, to: "hosts/\(name)/sshd_config")
      let sshd = try Child(
        try Self.asOrdinaryUser(home: directory) + ["/usr/sbin/sshd", "-f", directory + "/sshd_config", "-D", "-e"],
        environment: SampleFarm.environment(home: directory), directory: directory, limit: 300)
      do {
        try sshd.waitFor("Server listening on")
        self.sshd = sshd
        return
      } catch {
        // Somebody else may have taken the port meanwhile.
        guard attempt < 5 else { throw error }
      }
    }
  }

  func stop() {
    guard let sshd else { return }
    // Sessions have groups of their own.
    let sessions = Self.descendants(of: sshd.pid)
    sshd.killGroup()
    for pid in sessions { kill(pid, SIGKILL) }
    _ = sshd.wait()
    self.sshd = nil
  }

  func fingerprint() throws -> String {
    let listed = try Child(
      ["ssh-keygen", "-lf", directory + "/host_key.pub"], environment: SampleFarm.environment(home: "/"), directory: "/"
    ).wait()
    return try #require(listed.output.split(separator: " ").dropFirst().first.map(String.init), "\(listed)")
  }

  /// `worker add` with the right fingerprint and key.
  @discardableResult
  func add(_ options: String...) throws -> Child.Ended {
    try farm.start(
      ["worker", "add", address, "--name", name, "--fingerprint", try fingerprint(), "--identity", farm.directory + "/id_ed25519", "--root", root]
        + options
    ).wait()
  }

  /// sshd run by an ordinary user lets only that user in. `nobody` has no shell, so where root runs the tests sshd sees an account list in which it has one.
  private static func asOrdinaryUser(home: String) throws -> [String] {
    guard getuid() == 0 else { return [] }
    let list = try SampleFarm.root() + "/passwd"
    try Data("root:x:0:0::/root:/bin/bash\nnobody:x:65534:65534::\(try SampleFarm.root()):/bin/bash\n".utf8).write(to: URL(filePath: list))
    return ["unshare", "--mount", "sh", "-c", "mount --bind \"$1\" /etc/passwd && shift && exec \"$@\"", "sh", list] + OrdinaryUser.words
  }

  private static func descendants(of pid: pid_t) -> [pid_t] {
    var parents: [pid_t: pid_t] = [:]
    for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
      guard let pid = pid_t(name), let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
        let end = stat.lastIndex(of: ")")
      else { continue }
      let fields = stat[stat.index(after: end)...].split(separator: " ")
      if fields.count > 1, let parent = pid_t(fields[1]) { parents[pid] = parent }
    }
    var found: [pid_t] = []
    var level = [pid]
    while !level.isEmpty {
      level = parents.filter { level.contains($0.value) }.map(\.key)
      found += level
    }
    return found
  }

  static func freePort() throws -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let code = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) | getsockname(descriptor, $0, &length) }
    }
    guard code == 0 else { throw PeerError("no free port") }
    return Int(UInt16(bigEndian: address.sin_port))
  }
}
