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
    if json {
      try printJSON(Listing(hosts: hosts))
    } else {
      try printTable(of: hosts, in: configuration.hostDirectory, hasProblems: !configuration.hostFiles.problems.isEmpty)
    }
    try WorkerFileProblems.check(configuration.hostFiles)
  }

  private func printTable(of hosts: [Listing.Host], in directory: String, hasProblems: Bool) throws {
    if hosts.isEmpty {
      guard !hasProblems else { return }
      Diagnostics.print("no host in \(directory); 'blockfarm worker add user@host' adds one")
    }
    var table = TextTable(["HOST", "ADDRESS", "SLOTS", "ARCHITECTURES", "HOST KEY"])
    for host in hosts {
      table.rows.append([host.name, host.address, "\(host.slots)", host.architectures.map(\.rawValue).joined(separator: " "), host.hostKey])
    }
    try Results.print(table.text())
  }
}
