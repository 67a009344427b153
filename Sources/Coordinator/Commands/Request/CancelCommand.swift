import ArgumentParser
import BlobStore
import FarmService
import Glibc

/// `blockfarm cancel`: end a request.
struct CancelCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "cancel", abstract: "End a request and what it runs on the hosts.")

  @OptionGroup var configurationOptions: ConfigurationOptions
  @Argument(help: "A request's id or its beginning (default: the newest).")
  var request: String?

  func run() async throws {
    let farm = try Farm(configurationOptions.load())
    try Results.print(try await farm.cancel(farm.request(request)))
  }
}
