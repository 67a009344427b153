import ArgumentParser
import BuildModel
import Dispatch
import FarmService
import FoundationEssentials
import Glibc
import Reports

/// `blockfarm build`: the main job.
struct BuildCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "build", abstract: "Build device types and their blocks on the workers, and preload the blocks into the images.",
    discussion: "Run again with the same arguments after a crash, it goes on where it was; work that was done before is reused.")

  @OptionGroup var configurationOptions: ConfigurationOptions
  @OptionGroup var selection: SelectionOptions
  @Flag(name: .long, help: "Build on this machine, without SSH and hosts.")
  var local = false
  @Option(name: .long, help: "With --local: device types built at the same time.")
  var slots = 1
  @Option(name: .long, help: "Use only this host. May be repeated.")
  var host: [String] = []
  @Flag(name: .long, help: "Print index.json instead of the table.")
  var json = false

  func run() async throws {
    let configuration = try configurationOptions.load()
    let request = try selection.request()
    guard slots >= 1 else { throw ValidationError("--slots must be at least 1") }
    let farm = try Farm(configuration)
    let progress = ProgressView()
    let options = Farm.BuildOptions(
      request: request, allowDirty: selection.allowDirty, isLocal: local, localSlots: slots, hosts: host)
    let result = try await withInterrupts {
      try await farm.build(options) { progress.take($0) }
    }
    progress.finish()
    if json { try printJSON(result.index) } else { print(OutcomeTable.text(result)) }
    if result.status != 0 { throw CommandStatus(status: result.status) }
  }
}

/// Runs work that SIGINT or SIGTERM cancels: the first signal ends attempts on the workers in order, the second one leaves at once.
func withInterrupts<Value: Sendable>(_ work: @escaping @Sendable () async throws -> Value) async throws -> Value {
  let task = Task { try await work() }
  let sources = [SIGINT, SIGTERM].map { number in
    signal(number, SIG_IGN)
    let source = DispatchSource.makeSignalSource(signal: number)
    source.setEventHandler {
      if task.isCancelled { Glibc.exit(130) }
      Diagnostics.error("cancelling; once more leaves at once (attempts then go on and the next build finds them)")
      task.cancel()
    }
    source.resume()
    return source
  }
  defer { for source in sources { source.cancel() } }
  return try await task.value
}
