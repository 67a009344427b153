import ArgumentParser
import BuildModel
import FarmService

/// `blockfarm worker gc`: free disk on the hosts.
struct WorkerGarbageCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gc", abstract: "Let hosts remove what nobody needs any more. Status 3 when one has a problem.",
    discussion: """
      Hosts do it by themselves as well: after each build, and before one when space is short. Caches stay, and so does the outcome of a build that
      this farm has not fetched yet.
      """)
  @OptionGroup var configurationOptions: ConfigurationOptions
  @Argument(help: "Names of hosts (default: all that are configured; 'local': this machine, as 'build --local' uses it).")
  var names: [String] = []
  @Flag(name: .long, help: "Print JSON.")
  var json = false

  private struct Listing: Encodable {
    var version = 1
    var hosts: [Farm.HostGarbage]
  }

  func run() async throws {
    let configuration = try configurationOptions.load()
    let results = try await Farm(configuration).collectGarbage(names)
    if json {
      try printJSON(Listing(hosts: results))
    } else {
      var table = TextTable(["HOST", "STATE", "FREED", "FREE DISK"])
      for result in results {
        table.rows.append([
          result.name.text, result.problem == nil ? "done" : "problem", Self.text(result.freedBytes), Self.text(result.freeDiskBytes),
        ])
      }
      try Results.print(table.text())
      for result in results {
        guard let uses = result.uses, !uses.isEmpty else { continue }
        try Results.print("\n\(result.name) still keeps:\n" + uses.map { "  " + DiskUseText.line($0, host: result.name) }.joined(separator: "\n"))
      }
      for result in results { if let problem = result.problem { Diagnostics.error(problem) } }
    }
    if results.contains(where: { $0.problem != nil }) { throw CommandStatus(status: 3) }
    if names.isEmpty { try WorkerFileProblems.check(configuration.hostFiles) }
  }

  private static func text(_ bytes: Int64?) -> String { bytes.map { ByteCount(bytes: $0).description } ?? "-" }
}
