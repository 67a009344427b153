import BuildModel
import FoundationEssentials
import Glibc

/// One worker host: `workers.d/<name>.yaml`.
package struct HostConfiguration: Hashable, Sendable {
  package var name: HostName
  package var host: String
  package var port: UInt16
  package var user: String
  /// `SHA256:` and the base64 of the host key's sha256, as `ssh-keygen -l` prints it.
  package var hostKey: String
  package var identity: Identity
  package var architectures: [Architecture]
  package var slots: Int
  /// The worker's root on the host; `~/` is the account's home there.
  package var root: String
  /// Digest of the worker binary that was installed below `<root>/bin/`.
  package var worker: Digest
  /// Larger is faster.
  package var speed: Double
  /// Outdated SSH algorithms that this host needs, in addition to the current ones.
  package var sshAlgorithms: [String]
  /// Builds run there without a sandbox (`isolation: none`).
  package var isUnconfined: Bool
  /// The account's sshd runs the worker and nothing else, so that nothing else on the host can be asked for the worker's digest.
  package var hasForcedCommand = false

  package enum Identity: Hashable, Sendable {
    case agent
    /// Path of a private key, absolute.
    case file(String)
  }

  package init(
    name: HostName, host: String, port: UInt16, user: String, hostKey: String, identity: Identity,
    architectures: [Architecture], slots: Int, root: String, worker: Digest, speed: Double = 1,
    sshAlgorithms: [String] = [], isUnconfined: Bool = false
  ) {
    self.isUnconfined = isUnconfined
    self.name = name
    self.host = host
    self.port = port
    self.user = user
    self.hostKey = hostKey
    self.identity = identity
    self.architectures = architectures
    self.slots = slots
    self.root = root
    self.worker = worker
    self.speed = speed
    self.sshAlgorithms = sshAlgorithms
  }

  package static func read(_ path: String, home: String) throws(ConfigurationError) -> HostConfiguration {
    let root = try ConfigurationNode.parse(ConfigurationFile.text(path), file: path)
    let known = [
      "name", "host", "port", "user", "hostKey", "identity", "architectures", "slots", "root", "worker", "speed", "sshAlgorithms", "isolation",
      "forcedCommand",
    ]
    let keys = try root.mapping("a worker host", known: known)
    func required(_ key: String) throws(ConfigurationError) -> ConfigurationNode {
      guard let node = keys[key] else { throw root.failure("a worker host needs '\(key)'") }
      return node
    }
    let hasForcedCommand = try keys["forcedCommand"]?.boolean() ?? false
    let identity = try keys["identity"]?.string() ?? "agent"
    var configuration = HostConfiguration(
      name: try required("name").value("a host name (letters, digits, '-', '_', '.')") { try? HostName($0) },
      host: try required("host").value("a host address") { isAddress($0) ? $0 : nil },
      port: UInt16(try keys["port"]?.integer(1...65535) ?? 22),
      user: try required("user").value("an account name") { isAccount($0) ? $0 : nil },
      hostKey: try required("hostKey").value("a fingerprint (SHA256:… as 'ssh-keygen -l' prints it)") {
        $0.hasPrefix("SHA256:") && $0.utf8.count == 50 ? $0 : nil
      },
      identity: identity == "agent" ? .agent : .file(ConfigurationFile.absolute(identity, in: ConfigurationFile.parent(path), home: home)),
      architectures: try required("architectures").list().map { (item) throws(ConfigurationError) in
        try item.value("an architecture; known are \(Architecture.allCases.map(\.rawValue).joined(separator: ", "))") {
          Architecture(rawValue: $0)
        }
      },
      slots: try keys["slots"]?.integer(1...1000) ?? 1,
      root: try keys["root"]?.value("an absolute path or one below ~/") { $0.hasPrefix("/") || $0.hasPrefix("~/") ? $0 : nil } ?? "~/.blockfarm",
      worker: try required("worker").value("a sha256 digest ('blockfarm worker add' writes it)") { Digest($0) },
      speed: Double(try keys["speed"]?.integer(1...1000) ?? 1),
      sshAlgorithms: try keys["sshAlgorithms"]?.list().map { (item) throws(ConfigurationError) in try item.string() } ?? [],
      isUnconfined: try keys["isolation"]?.value("an isolation; known are \(Isolation.choices)") { Isolation.isUnconfined($0) } ?? false)
    configuration.hasForcedCommand = hasForcedCommand
    return configuration
  }

  /// Whether a text can be a host's name or numeric address.
  package static func isAddress(_ text: String) -> Bool {
    !text.isEmpty && !text.hasPrefix("-") && text.utf8.count <= 255
      && text.utf8.allSatisfy { byte in
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || [45, 46, 58, 95, 37].contains(byte)
      }
  }

  /// Whether a text can be an account's name.
  package static func isAccount(_ text: String) -> Bool { (try? HostName(text)) != nil || (text.hasPrefix("_") && text.count > 1) }

  /// The file's text.
  package var yaml: String {
    let key =
      switch identity {
      case .agent: "agent"
      case .file(let path): path
      }
    return """
      name: \(name)
      host: "\(host)"
      port: \(port)
      user: \(user)
      hostKey: \(hostKey)
      identity: "\(key)"
      architectures: [\(architectures.map(\.rawValue).joined(separator: ", "))]
      slots: \(slots)
      root: "\(root)"
      worker: \(worker)

      """ + (sshAlgorithms.isEmpty ? "" : "sshAlgorithms: [\(sshAlgorithms.joined(separator: ", "))]\n")
        + (isUnconfined ? "isolation: none\n" : "") + (hasForcedCommand ? "forcedCommand: true\n" : "")
  }
}
