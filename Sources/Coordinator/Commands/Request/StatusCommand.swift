import ArgumentParser
import BuildModel
import FarmService
import FoundationEssentials

/// `blockfarm status`: how far a request is.
struct StatusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "status", abstract: "Show how far a request is (the newest, or the one given).")

  @OptionGroup var configurationOptions: ConfigurationOptions
  @Argument(help: "A request's id or its beginning.")
  var request: String?
  @Flag(name: .long, help: "Print JSON.")
  var json = false

  func run() async throws {
    let farm = try Farm(configurationOptions.load())
    let status = try await farm.status(farm.request(request))
    if json { return try printJSON(status) }
    try Results.print("request \(status.request), begun \(status.createdAt)\(status.endedAt.map { ", ended \($0)" } ?? ", not ended")")
    if let note = status.note { try Results.print(note) }
    var table = TextTable(["DEVICE TYPE", "ARCH", "MACHINE", "STATE", "HOST", "ATTEMPTS", "REASON"])
    for task in status.tasks {
      table.rows.append([
        task.slug.text, task.arch.rawValue, task.machine.text, task.verdict, task.host?.text ?? "-", "\(task.attempts)",
        (task.reason ?? "").split(separator: "\n").first.map(String.init) ?? "",
      ])
    }
    try Results.print(table.text())
    try Results.print("tree: \(status.directory)")
  }
}
