import ArgumentParser
import BuildModel
import FarmService
import FoundationEssentials
import Glibc

/// `blockfarm worker remove`: forget a host.
struct WorkerRemoveCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "remove", abstract: "Forget a host; its directory there stays.")
  @OptionGroup var configurationOptions: ConfigurationOptions
  @Argument(help: "Name of the host.")
  var name: String

  func run() async throws {
    let configuration = try configurationOptions.load()
    guard let host = configuration.hosts.first(where: { $0.name.text == name }) else {
      throw Farm.unknownHost(name, among: configuration.hostFiles)
    }
    let file = try await Farm(configuration).removeWorker(host)
    try Results.print("removed \(file); the worker's files stay on the host below \(host.root)")
  }
}
