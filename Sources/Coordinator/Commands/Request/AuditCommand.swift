import ArgumentParser
import BuildModel
import FarmService
import Store

/// `blockfarm audit`: who asked for what.
struct AuditCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit", abstract: "List who asked for what, when and from where.",
    discussion: """
      The log is audit.jsonl in the state directory. Each entry holds the digest of the one before, and the database knows the newest one. \
      With --check the exit status is 1 where an entry was changed, added or removed.
      """)

  @OptionGroup var configurationOptions: ConfigurationOptions
  @Flag(name: .long, help: "Check that no entry was changed, added or removed; print only the verdict.")
  var check = false
  @Option(name: .long, help: "List at most this many entries, the newest ones.")
  var limit = 50
  @Flag(name: .long, help: "Print JSON.")
  var json = false

  private struct Listing: Encodable {
    var version = 1
    var entries: [AuditEntry]
    /// What is wrong with the log, at its first fault; nil where all entries follow each other.
    var fault: String?
  }

  func run() async throws {
    guard limit >= 1 else { throw FarmError.usage("--limit must be at least 1") }
    let (entries, fault) = try await Farm(configurationOptions.load()).context.audit.read()
    if json {
      try printJSON(Listing(entries: check ? [] : Array(entries.suffix(limit)), fault: fault))
    } else if check {
      if fault == nil { try Results.print("\(Counted(entries.count, "entry", plural: "entries")), none changed or removed") }
    } else {
      var table = TextTable(["TIME", "ACCOUNT", "FROM", "ACTION", "REQUEST", "WHAT"])
      for entry in entries.suffix(limit) {
        table.rows.append([
          entry.time.description, entry.account, entry.origin ?? "this machine", entry.action.rawValue, entry.request?.text ?? "-",
          entry.subjects.joined(separator: " "),
        ])
      }
      if !entries.isEmpty { try Results.print(table.text()) }
      if entries.isEmpty, fault == nil { Diagnostics.print("nothing has been asked for yet") }
    }
    guard let fault else { return }
    Diagnostics.error(fault)
    throw CommandStatus(status: ExitStatus.failed.value)
  }
}
