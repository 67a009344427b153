import ArgumentParser
import FarmService
import FoundationEssentials
import Toolbox

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
  @Option(name: .long, help: "For a flasher image: the name of the image inside its /opt. That inner image is extracted and preloaded.")
  var inner: String?

  func run() async throws {
    let time = ProcessInfo.processInfo.environment["SOURCE_DATE_EPOCH"].flatMap(Int64.init) ?? 0
    let report = try await StandalonePreload(image: image, layout: oci, tags: tag, output: output, inner: inner, time: time).run()
    Diagnostics.print(
      "\(report.layersWritten) layers written, \(report.layersSkipped) were there, \(report.bytes >> 20) MiB, image \(report.sizeBefore >> 20) → "
        + "\(report.sizeAfter >> 20) MiB")
    try Results.print(output)
  }
}
