import ArgumentParser
import BuildModel
import FarmService
import FoundationEssentials
import Publishing
import Releases

/// `blockfarm release verify`: are the releases what was built?
struct ReleaseVerifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Read the releases of a request again and compare every digest with its index. Status 1 when something differs.")
  @OptionGroup var environment: CloudOptions
  @Argument(help: "A request's directory, or its index.json.")
  var index: String
  @Option(name: [.short, .long], help: "Only this device type, by slug. May be repeated.")
  var machine: [String] = []
  @Flag(name: .long, help: "Print JSON.")
  var json = false

  private struct Listing: Encodable {
    var version = 1
    var releases: [ReleaseVerification]
  }

  func run() async throws {
    let (verification, session) = (try IndexVerification(path: index), try await environment.open(for: .reading))
    let verdicts = try await verification.verify(in: session, slugs: machine)
    if json {
      try printJSON(Listing(releases: verdicts))
    } else {
      var table = TextTable(["APPLICATION", "RELEASE", "STATE", "COMPARED", "RESULT"])
      for verdict in verdicts {
        table.rows.append([
          verdict.application, verdict.release == 0 ? "-" : "\(verdict.release)", verdict.isFinal ? "final" : "draft", "\(verdict.compared)",
          verdict.differences.isEmpty ? "good" : "\(Counted(verdict.differences.count, "difference"))",
        ])
      }
      try Results.print(table.text())
      for verdict in verdicts { for difference in verdict.differences { Diagnostics.error("\(verdict.application): \(difference)") } }
    }
    if verdicts.contains(where: { !$0.differences.isEmpty }) { throw CommandStatus(status: 1) }
  }
}
