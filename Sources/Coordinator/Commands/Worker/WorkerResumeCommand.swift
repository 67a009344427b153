import ArgumentParser
import BuildModel
import FarmService
import FoundationEssentials
import Glibc

/// `blockfarm worker resume`: take a drained host back.
struct WorkerResumeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "resume", abstract: "Take a drained or failing host back.")
  @OptionGroup var configurationOptions: ConfigurationOptions
  @Argument(help: "Name of the host; 'local' is this machine, for build --local.")
  var name: String

  func run() async throws {
    try Results.print("host \(try await Farm(configurationOptions.load()).setDrained(nil, host: name)) is back")
  }
}
