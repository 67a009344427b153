import ArgumentParser
import BuildModel
import FarmService
import FoundationEssentials

/// `blockfarm explain`: why a device type waits, or how it ended.
struct ExplainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain", abstract: "Say why a device type waits (what each host lacks), or why it failed.")

  @OptionGroup var configurationOptions: ConfigurationOptions
  @Argument(help: "A device type: slug, machine, file name or alias.")
  var deviceType: String
  @Option(name: .long, help: "A request's id or its beginning (default: the last one with the device type).")
  var request: String?
  @Flag(name: .long, help: "Print JSON.")
  var json = false

  func run() async throws {
    let farm = try Farm(configurationOptions.load())
    let (status, task) = try await farm.status(of: deviceType, request: request)
    if json { return try printJSON(task) }
    switch task.state {
    case "waiting" where task.waiting.isEmpty: try Results.print("\(task.slug) waits: no host is configured, or none was asked yet")
    case "waiting":
      try Results.print("\(task.slug) (\(task.arch)) waits:")
      for host in task.waiting { try Results.print("  host \(host.host) \(host.reasons.joined(separator: "; "))") }
    case "running":
      try Results.print(
        "\(task.slug) is built on \(task.host?.text ?? "?") (attempt \(task.attempts)); 'blockfarm logs \(task.slug)' shows its console")
    default: try Results.print("\(task.slug): \(task.end)")
    }
    if let note = status.note, task.state == "waiting" || task.state == "running" { try Results.print("request \(status.request): \(note)") }
  }
}
