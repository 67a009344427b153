import ArgumentParser
import BuildModel
import CoordinatorConfiguration
import FarmService
import FoundationEssentials
import Glibc

/// `blockfarm worker add user@host:port`.
struct WorkerAddCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add", abstract: "Pin a host's key, install the worker there and write workers.d/<name>.yaml.")

  @OptionGroup var configurationOptions: ConfigurationOptions
  @Argument(help: "user@host or user@host:port.")
  var address: String
  @Option(name: .long, help: "Name of the host (default: its address).")
  var name: String?
  @Option(name: .long, help: "The host key's fingerprint (SHA256:…). Without this option the fingerprint is shown and you are asked to confirm it.")
  var fingerprint: String?
  @Option(name: .long, help: "Private key file, ed25519 or ECDSA (default: the SSH agent).")
  var identity: String?
  @Option(
    name: .long,
    help:
      "Architectures to build for, separated by commas: aarch64, armv7hf, rpi, amd64, i386, i386-nlp (default: all that the host's CPU can build).")
  var architectures: String?
  @Option(name: .long, help: "Device types built there at the same time (default: a quarter of its cores).")
  var slots: Int?
  @Option(name: .long, help: "The worker's directory on the host.")
  var root = "~/.blockfarm"
  @Option(name: .long, help: "The worker binary to install (default: the one beside this program).")
  var workerBinary: String?

  func run() async throws {
    let configuration = try configurationOptions.load()
    let farm = try Farm(configuration)
    let host = try newHost(configuration)
    if configuration.hosts.contains(where: { $0.name == host.name }) {
      throw FarmError.usage(
        "host '\(host.name)' is already configured; remove it with 'blockfarm worker remove \(host.name)', or give this one another name with --name")
    }
    // A file that cannot be read may hold what somebody wants to keep.
    let existing = "\(configuration.hostDirectory)/\(host.name).yaml"
    guard access(existing, F_OK) != 0 else {
      throw FarmError.usage("\(existing) exists already and cannot be used; remove it, or give this host another name with --name")
    }
    let binary = try workerBinary ?? FarmContext.localWorker()
    let pinned = try await confirm(farm, host)
    let (added, probe, sessions, file) = try await farm.addWorker(host, fingerprint: pinned, binary: binary)
    try Results.print(
      "host \(added.name): \(probe.kernelMachine), \(Counted(probe.cores, "core")), \(probe.memoryBytes >> 20) MiB, \(probe.freeDiskBytes >> 30) GiB free"
    )
    try Results.print("features: \(probe.features.map(\.text).joined(separator: ", "))")
    try Results.print("serves \(added.architectures.map(\.rawValue).joined(separator: ", ")) with \(Counted(added.slots, "slot"))")
    if let sessions { Diagnostics.print("note: \(sessions)") }
    try Results.print("written: \(file)")
    if let obstacle = probe.sandboxObstacle { Diagnostics.error("warning: host \(added.name) will be refused for builds: \(obstacle)") }
  }

  private func newHost(_ configuration: FarmConfiguration) throws -> Farm.NewHost {
    let parts = address.split(separator: "@", maxSplits: 1).map(String.init)
    guard parts.count == 2 else { throw ValidationError("'\(address)' is not user@host or user@host:port") }
    var host = parts[1]
    var port: UInt16 = 22
    if host.hasPrefix("["), let end = host.firstIndex(of: "]") {
      let rest = host[host.index(after: end)...]
      if rest.hasPrefix(":") { port = try number(rest.dropFirst()) }
      host = String(host[host.index(after: host.startIndex)..<end])
    } else if host.filter({ $0 == ":" }).count == 1, let colon = host.firstIndex(of: ":") {
      port = try number(host[host.index(after: colon)...])
      host = String(host[..<colon])
    }
    guard HostConfiguration.isAccount(parts[0]) else { throw FarmError.usage("'\(parts[0])' in '\(address)' is not an account name") }
    guard HostConfiguration.isAddress(host) else { throw FarmError.usage("'\(host)' in '\(address)' is not a host address") }
    let served = try architectures.map { list in
      try list.split(separator: ",").map { word in
        guard let architecture = Architecture(rawValue: String(word)) else {
          throw FarmError.usage("unknown architecture '\(word)'; known: \(Architecture.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return architecture
      }
    }
    guard let name = try? HostName(name ?? host) else { throw ValidationError("'\(name ?? host)' cannot be a host's name; give one with --name") }
    let directory = FileManager.default.currentDirectoryPath
    return Farm.NewHost(
      user: parts[0], host: host, port: port, name: name,
      identity: identity.map { .file(ConfigurationFile.absolute($0, in: directory, home: configuration.home)) } ?? .agent, root: root,
      architectures: served, slots: slots)
  }

  private func number(_ text: Substring) throws -> UInt16 {
    guard let port = UInt16(text), port > 0 else { throw ValidationError("'\(text)' is not a port") }
    return port
  }

  private func confirm(_ farm: Farm, _ host: Farm.NewHost) async throws -> String {
    if let fingerprint { return fingerprint }
    let key = try await farm.scanKey(of: host)
    Diagnostics.print("\(host.host):\(host.port) has the \(key.type) host key \(key.fingerprint)")
    guard isatty(STDIN_FILENO) == 1 else {
      throw FarmError.usage("no terminal to ask on: compare the fingerprint above with the host's own, then pass --fingerprint \(key.fingerprint)")
    }
    Diagnostics.write("Is this the host's key ('ssh-keygen -l -f /etc/ssh/ssh_host_…_key.pub' there shows it)? Type yes: ")
    guard readLine() == "yes" else { throw FarmError.usage("the host key was not confirmed; nothing was written") }
    return key.fingerprint
  }
}
