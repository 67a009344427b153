import ArgumentParser
import BuildModel
import FarmService
import FoundationEssentials
import RemoteFeed
import Reports

/// `blockfarm build`: the main job.
struct BuildCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "build", abstract: "Build device types and their blocks on the workers, and preload the blocks into the images.",
    discussion: "After a crash, run it again with the same arguments: it continues where it stopped, and reuses what was already built.")

  @OptionGroup var configurationOptions: ConfigurationOptions
  @OptionGroup var selection: SelectionOptions
  @Flag(name: .long, help: "Build on this machine, without SSH and hosts.")
  var local = false
  @Option(name: .long, help: "With --local: device types built at the same time.")
  var slots = 1
  @OptionGroup var isolation: IsolationOption
  @Option(name: .long, help: "Use only this host. May be repeated.")
  var host: [String] = []
  @Flag(name: .long, help: "Wait for a host to be added where none is configured, or none serves a device type's architecture.")
  var wait = false
  @Option(
    name: .long, help: "A feed to make blocks from instead of building it: a directory, or an http, https or file URL; needs --archs or --tune.")
  var feed: String?
  @OptionGroup var architectures: ArchitectureOptions
  @OptionGroup var publishing: PublishingOptions
  @Flag(name: .long, help: "Print index.json instead of the table.")
  var json = false

  func run() async throws {
    let configuration = try configurationOptions.load()
    let request = try selection.request()
    guard slots >= 1 else { throw FarmError.usage("--slots must be at least 1") }
    guard !local || host.isEmpty else {
      throw FarmError.usage("--local builds on this machine and --host \(host[0]) on another: give one of them")
    }
    guard !wait || (host.isEmpty && !local) else {
      throw FarmError.usage("--wait waits for a host to be added, and \(local ? "--local" : "--host") chooses where to build: give one of them")
    }
    let farm = try Farm(configuration)
    let progress = ProgressView()
    var options = Farm.BuildOptions(
      request: request, allowDirty: selection.allowDirty, isLocal: local, localSlots: slots, hosts: host,
      deploy: try publishing.deployRequest(), lookup: publishing.env, rebuild: publishing.rebuild, feed: try provision(), waitsForHosts: wait)
    options.isUnconfined = try isolation.isUnconfined(isLocal: local)
    let interrupts = InterruptSignals(farm.context.interruption)
    defer { interrupts.cancel() }
    let result = try await farm.build(options) { progress.take($0) }
    progress.finish()
    if json, let shortfall = result.shortfall { Diagnostics.print(shortfall) }
    if json { try Results.print(String(decoding: result.document, as: UTF8.self)) } else { try Results.print(OutcomeTable.text(result)) }
    let status = ExitStatus(result.end)
    if status != .good { throw CommandStatus(status: status.value) }
  }

  private func provision() throws -> FeedProvision? {
    let names = try architectures.list()
    if let feed { return try FeedProvision(location: feed, architectures: names) }
    guard names == nil else { throw FarmError.usage("--archs and --tune belong to --feed") }
    return nil
  }
}
