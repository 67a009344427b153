import ArgumentParser
import BuildModel
import FarmService
import FoundationEssentials
import Glibc

/// `blockfarm worker drain`: give a host no new work.
struct WorkerDrainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "drain", abstract: "Give a host no new work; what runs there goes on.")
  @OptionGroup var configurationOptions: ConfigurationOptions
  @Argument(help: "Name of the host; 'local' is this machine, for build --local.")
  var name: String
  @Option(name: .long, help: "The reason, shown by 'worker check' and 'explain'.")
  var reason = "by hand"

  func run() async throws {
    try Results.print("host \(try await Farm(configurationOptions.load()).setDrained(reason, host: name)) is drained")
  }
}
