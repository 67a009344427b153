import ArgumentParser
import BuildModel
import FarmService
import FoundationEssentials
import Glibc

/// `blockfarm worker transfer`: measure the way to a host.
struct WorkerTransferCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "transfer", abstract: "Send a file to a host's blob store and fetch it back, and print the seconds of both.")
  @OptionGroup var configurationOptions: ConfigurationOptions
  @Option(name: .long, help: "The file.")
  var file: String
  @Option(name: .long, help: "Name of the host.")
  var host: String

  func run() async throws {
    let result = try await Farm(configurationOptions.load()).transfer(file, host: host)
    try Results.print("put \(result.put) s, get \(result.get) s, \(Counted(result.bytes, "byte"))")
  }
}
