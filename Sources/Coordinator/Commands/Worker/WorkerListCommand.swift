import ArgumentParser
import BuildModel
import FarmService
import FoundationEssentials
import Glibc

/// `blockfarm worker list`: what the configuration says, and what is noted about each host.
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
      var drained: String?
      var failures: Int
      var lastFailure: String?
    }
    var version = 1
    var hosts: [Host]
    /// This machine, where something is noted about builds on it.
    var local: Farm.HostNote?
  }

  func run() async throws {
    let configuration = try configurationOptions.load()
    let farm = try Farm(configuration)
    var hosts: [Listing.Host] = []
    var states: [String] = []
    for host in configuration.hosts {
      let note = await farm.note(of: host.name)
      states.append(note.state)
      hosts.append(
        .init(
          name: host.name.text, address: "\(host.user)@\(host.host):\(host.port)", architectures: host.architectures, slots: host.slots,
          hostKey: host.hostKey, drained: note.drained, failures: note.failures, lastFailure: note.lastFailure))
    }
    let local = await farm.localNote()
    if json {
      try printJSON(Listing(hosts: hosts, local: local))
      return try WorkerFileProblems.check(configuration.hostFiles)
    }
    // Where nothing but broken files is there, their problems are all that there is to say.
    if hosts.isEmpty, !configuration.hostFiles.problems.isEmpty { return try WorkerFileProblems.check(configuration.hostFiles) }
    if hosts.isEmpty {
      Diagnostics.print("no host in \(configuration.hostDirectory); 'blockfarm worker add user@host' adds one")
    }
    var table = TextTable(["HOST", "ADDRESS", "SLOTS", "ARCHITECTURES", "HOST KEY", "STATE"])
    for (host, state) in zip(hosts, states) {
      table.rows.append([
        host.name, host.address, "\(host.slots)", host.architectures.map(\.rawValue).joined(separator: " "), host.hostKey, state,
      ])
    }
    try Results.print(table.text())
    if let local {
      Diagnostics.print("note: this machine ('local', for build --local) is \(local.state); 'blockfarm worker resume local' takes it back")
    }
    try WorkerFileProblems.check(configuration.hostFiles)
  }
}
