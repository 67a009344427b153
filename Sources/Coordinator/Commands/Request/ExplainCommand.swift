import ArgumentParser
import BuildModel
import FarmService
import FoundationEssentials

/// `blockfarm explain`: why a device type waits, or how it ended.
struct ExplainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain", abstract: "Say why a device type waits (what each host lacks), or why it failed.")

  @OptionGroup var configurationOptions: ConfigurationOptions
  @Argument(help: "The device type: slug, machine, file name or alias.")
  var deviceType: String
  @Option(name: .long, help: "A request's id or its beginning (default: the newest).")
  var request: String?
  @Flag(name: .long, help: "Print JSON.")
  var json = false

  func run() async throws {
    let farm = try Farm(configurationOptions.load())
    let record = try await farm.request(request)
    let slug = try await farm.deviceType(deviceType, of: record)
    let status = try await farm.status(record)
    guard let task = status.tasks.first(where: { $0.slug == slug }) else {
      throw FarmError.usage("'\(deviceType)' is not part of request \(status.request)")
    }
    if json { return try printJSON(task) }
    switch task.state {
    case "waiting" where task.waiting.isEmpty: try Results.print("\(task.slug) waits: no host is configured, or none was asked yet")
    case "waiting":
      try Results.print("\(task.slug) (\(task.arch)) waits:")
      for host in task.waiting { try Results.print("  host \(host.host) \(host.reasons.joined(separator: "; "))") }
    case "running":
      try Results.print(
        "\(task.slug) is built on \(task.host?.text ?? "?") (attempt \(task.attempts)); 'blockfarm logs \(task.slug)' shows its console")
    default: try Results.print("\(task.slug): \(task.state)\(task.reason.map { ": " + $0 } ?? "")")
    }
  }
}
