import ArgumentParser
import BuildModel
import FarmService
import FoundationEssentials
import Glibc

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
      return try Results.print("\(Counted(count, "probe")) in \(seconds) s")
    }
    let files = farm.context.configuration.hostFiles
    if names.isEmpty, files.hosts.isEmpty { try WorkerFileProblems.check(files) }
    let checks = try await farm.checkWorkers(names)
    if json {
      try printJSON(Listing(hosts: checks))
    } else {
      var table = TextTable(["HOST", "STATE", "ARCHITECTURES", "SLOTS", "CORES", "FREE DISK", "FEATURES"])
      for check in checks {
        table.rows.append([
          check.name.text, check.problem == nil ? (check.drained.map { "drained: " + $0 } ?? "ready") : "problem",
          check.architectures.map(\.rawValue).joined(separator: " "), "\(check.slots)", check.probe.map { "\($0.cores)" } ?? "-",
          check.probe.map { "\($0.freeDiskBytes >> 30) GiB" } ?? "-", check.probe?.features.map(\.text).joined(separator: " ") ?? "-",
        ])
      }
      try Results.print(table.text())
      for check in checks {
        if let problem = check.problem {
          Diagnostics.error(problem)
        } else if let sessions = check.sessions {
          Diagnostics.print("note: host \(check.name): \(sessions)")
        }
        if check.probe?.reachesDocker == true {
          Diagnostics.print(
            "note: host \(check.name): its account reaches docker, so a build that is given docker can do there what root can")
        }
        if let warning = check.warning { Diagnostics.error("warning: host \(check.name): \(warning)") }
      }
    }
    if checks.contains(where: { $0.problem != nil }) { throw CommandStatus(status: 3) }
    if names.isEmpty { try WorkerFileProblems.check(files) }
  }
}
