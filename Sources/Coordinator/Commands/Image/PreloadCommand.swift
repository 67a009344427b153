import ArgumentParser
import BuildModel
import CoordinatorConfiguration
import FarmService
import FoundationEssentials
import Toolbox

/// `blockfarm preload`: write container images into a disk image.
struct PreloadCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "preload", abstract: "Write container images into the data partition of a disk image; the input is never edited.")

  @Option(name: .long, help: "The disk image.")
  var image: String
  @Option(name: .long, help: "The container images: an OCI image layout (LAYOUT or LAYOUT:NAME) or a docker-archive (FILE or FILE:TAG).")
  var oci: String
  @Option(name: .long, help: "The name, or the digest, of an image to preload (default: all that are there). May be repeated.")
  var tag: [String] = []
  @Option(name: .long, help: "The image to write.")
  var output: String
  @Option(name: .long, help: "For a flasher image: the name of the image inside its /opt. That inner image is extracted and preloaded.")
  var inner: String?
  @Option(name: .long, help: "The disk image's platform, os/architecture or os/architecture/variant (default: what the disk image says).")
  var platform: String?

  func run() async throws {
    let time = CallerEnvironment.variables["SOURCE_DATE_EPOCH"].flatMap(Int64.init) ?? 0
    let report = try await StandalonePreload(
      image: image, source: oci, tags: tag, output: output, inner: inner, platform: try platform.map { try PlatformText.platform($0) }, time: time,
      notice: { Diagnostics.print($0) }
    ).run()
    Diagnostics.print(
      "\(Counted(report.layersWritten, "layer")) written, \(report.layersSkipped) there already, \(report.bytes >> 20) MiB, image \(report.sizeBefore >> 20) → "
        + "\(report.sizeAfter >> 20) MiB")
    try Results.print(output)
  }
}
