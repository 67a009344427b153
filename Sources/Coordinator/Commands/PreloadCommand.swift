import ArgumentParser
import FarmService

/// `blockfarm preload`: write images of an OCI layout into a disk image.
struct PreloadCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "preload", abstract: "Write container images into the data partition of a disk image; the input is never edited.")

  @Option(name: .long, help: "The disk image.")
  var image: String
  @Option(name: .long, help: "OCI image layout directory.")
  var oci: String
  @Option(name: .long, help: "Reference name of an image in the layout (default: all). May be repeated.")
  var tag: [String] = []
  @Option(name: .long, help: "The image to write.")
  var output: String
  @Option(name: .long, help: "The input is a flasher: name of its inner image below /opt, which is taken out and preloaded.")
  var inner: String?

  func run() async throws {
    let report = try await StandalonePreload(image: image, layout: oci, tags: tag, output: output, inner: inner).run()
    print("\(output): \(report)")
  }
}
