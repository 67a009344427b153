import ArgumentParser
import BuildModel
import FarmService
import FoundationEssentials
import Glibc

/// `blockfarm worker list`: what the configuration says.
struct WorkerListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "List the configured hosts.")
  @OptionGroup var configurationOptions: ConfigurationOptions
  @Flag(name: .long, help: "Print JSON.")
  var json = false

  private struct Listing: Encodable {
    struct Host: Encodable {
      var name: String
      var address: String
      var architectures: [Architecture]
      var slots: Int
      var hostKey: String
    }
    var version = 1
    var hosts: [Host]
  }

  func run() async throws {
    let configuration = try configurationOptions.load()
    let hosts = configuration.hosts.map {
      Listing.Host(
        name: $0.name.text, address: "\($0.user)@\($0.host):\($0.port)", architectures: $0.architectures, slots: $0.slots, hostKey: $0.hostKey)
    }
    if json { return try printJSON(Listing(hosts: hosts)) }
    if hosts.isEmpty { Diagnostics.print("no host in \(configuration.hostDirectory); 'blockfarm worker add user@host' adds one") }
    var table = TextTable(["HOST", "ADDRESS", "SLOTS", "ARCHITECTURES", "HOST KEY"])
    for host in hosts {
      table.rows.append([host.name, host.address, "\(host.slots)", host.architectures.map(\.rawValue).joined(separator: " "), host.hostKey])
    }
    try Results.print(table.text())
  }
}

/// `blockfarm worker check`: what the hosts say.
struct WorkerCheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Connect to the hosts and show what they report. Status 3 when one has a problem.")
  @OptionGroup var configurationOptions: ConfigurationOptions
  @Argument(help: "Names of hosts (default: all).")
  var names: [String] = []
  @Option(name: .long, help: "Instead of a table: run the probe this many times over open connections and print the seconds.")
  var count: Int?
  @Option(name: .long, help: "With --count: probes at the same time.")
  var parallel = 16
  @Flag(name: .long, help: "Print JSON.")
  var json = false

  private struct Listing: Encodable {
    var version = 1
    var hosts: [Farm.HostCheck]
  }

  func run() async throws {
    let farm = try Farm(configurationOptions.load())
    if let count {
      guard count > 0, parallel > 0 else { throw ValidationError("--count and --parallel must be above 0") }
      let seconds = try await farm.repeatProbe(names, count: count, parallel: parallel)
      return try Results.print("\(count) probes in \(seconds) s")
    }
    let checks = try await farm.checkWorkers(names)
    if json {
      try printJSON(Listing(hosts: checks))
    } else {
      var table = TextTable(["HOST", "STATE", "ARCHITECTURES", "SLOTS", "CORES", "FREE DISK", "FEATURES"])
      for check in checks {
        table.rows.append([
          check.name.text, check.problem == nil ? (check.drained.map { "drained: " + $0 } ?? "ready") : "problem",
          check.architectures.map(\.rawValue).joined(separator: " "), "\(check.slots)", check.probe.map { "\($0.cores)" } ?? "-",
          check.probe.map { "\($0.freeDiskBytes >> 30) GiB" } ?? "-", check.probe?.features.joined(separator: " ") ?? "-",
        ])
      }
      try Results.print(table.text())
      for check in checks { if let problem = check.problem { Diagnostics.error(problem) } }
    }
    if checks.contains(where: { $0.problem != nil }) { throw CommandStatus(status: 3) }
  }
}

/// `blockfarm worker drain`: give a host no new work.
struct WorkerDrainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "drain", abstract: "Give a host no new work; what runs there goes on.")
  @OptionGroup var configurationOptions: ConfigurationOptions
  @Argument(help: "Name of the host.")
  var name: String
  @Option(name: .long, help: "Why, for those who ask.")
  var reason = "by hand"

  func run() async throws {
    try Results.print("host \(try await Farm(configurationOptions.load()).setDrained(reason, host: name)) is drained")
  }
}

/// `blockfarm worker resume`: take a drained host back.
struct WorkerResumeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "resume", abstract: "Take a drained or failing host back.")
  @OptionGroup var configurationOptions: ConfigurationOptions
  @Argument(help: "Name of the host.")
  var name: String

  func run() async throws {
    try Results.print("host \(try await Farm(configurationOptions.load()).setDrained(nil, host: name)) is back")
  }
}

/// `blockfarm worker remove`: forget a host.
struct WorkerRemoveCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "remove", abstract: "Forget a host; its directory there stays.")
  @OptionGroup var configurationOptions: ConfigurationOptions
  @Argument(help: "Name of the host.")
  var name: String

  func run() async throws {
    let configuration = try configurationOptions.load()
    guard let host = configuration.hosts.first(where: { $0.name.text == name }) else {
      throw Farm.unknownHost(name, among: configuration.hosts)
    }
    let file = "\(configuration.hostDirectory)/\(host.name).yaml"
    guard unlink(file) == 0 else { throw FarmError.usage("\(file): \(String(cString: strerror(errno)))") }
    try Results.print("removed \(file); the worker's files stay on the host below \(host.root)")
  }
}

/// `blockfarm worker transfer`: measure the way to a host.
struct WorkerTransferCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "transfer", abstract: "Send a file to a host's blob store and fetch it back, and print the seconds of both.")
  @OptionGroup var configurationOptions: ConfigurationOptions
  @Option(name: .long, help: "The file.")
  var file: String
  @Option(name: .long, help: "Name of the host.")
  var host: String

  func run() async throws {
    let result = try await Farm(configurationOptions.load()).transfer(file, host: host)
    try Results.print("put \(result.put) s, get \(result.get) s, \(result.bytes) bytes")
  }
}
