import ArgumentParser
import BlobStore
import FarmService
import Glibc

/// `blockfarm logs`: an attempt's console.
struct LogsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "logs", abstract: "Print the console log of a device type's last attempt.")

  @OptionGroup var configurationOptions: ConfigurationOptions
  @Argument(help: "The device type: slug, machine, file name or alias.")
  var deviceType: String
  @Option(name: .long, help: "A request's id or its beginning (default: the newest).")
  var request: String?
  @Option(name: .long, help: "Number of the attempt (default: the last one).")
  var attempt: Int?

  func run() async throws {
    let farm = try Farm(configurationOptions.load())
    let path = try await farm.log(farm.request(request), slug: deviceType, attempt: attempt)
    var unwritten: (any Error)?
    do {
      try FileReader.read(path) { (piece) throws(BlobStoreError) in
        do {
          try Results.write(piece)
        } catch {
          unwritten = error
          // Only ends the reading.
          throw .system(operation: "write", path: "standard output", errno: EIO)
        }
      }
    } catch {
      throw unwritten ?? FarmError.farm("\(error)")
    }
  }
}
