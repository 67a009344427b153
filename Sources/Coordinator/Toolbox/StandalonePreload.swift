import BlobStore
import BoundedConcurrency
import BuildModel
import FoundationEssentials
import OCIImage
import Preload
import Reports

/// Preloads images of an OCI layout or a docker-archive into a disk image, without a farm.
package struct StandalonePreload: Sendable {
  package var image: String
  /// `LAYOUT`, `LAYOUT:NAME`, `ARCHIVE` or `ARCHIVE:TAG`.
  package var source: String
  /// Names of images, or digests of those without a name; empty means every image that is there.
  package var tags: [String]
  package var output: String
  /// Name of the inner image of a flasher.
  package var inner: String?
  /// What the disk image is made for; nil to find it out.
  package var platform: Platform?
  /// Seconds since 1970 for what the layers bring no time for.
  package var time: Int64
  /// Gets a line for each thing worth knowing that is no failure.
  package var notice: @Sendable (String) -> Void

  package init(
    image: String, source: String, tags: [String], output: String, inner: String?, platform: Platform?, time: Int64,
    notice: @escaping @Sendable (String) -> Void
  ) {
    self.time = time
    self.image = image
    self.source = source
    self.tags = tags
    self.output = output
    self.inner = inner
    self.platform = platform
    self.notice = notice
  }

  package func run() async throws(ToolboxError) -> PreloadReport {
    do {
      return try await BlockingWork.run { try runNow() }
    } catch {
      throw ToolboxError(error)
    }
  }

  private func runNow() throws -> PreloadReport {
    try ToolboxError.checkOutput(file: output)
    let place = try ImagePlace(source)
    let disk = try platform.map { DiskPlatform(platform: $0, source: "--platform") } ?? DiskPlatform.read(from: image)
    var choice = PreloadChoice(try place.images(), image: image, disk: disk)
    let chosen = try choice.choose(place.name.map { [$0] + tags } ?? tags)
    for note in choice.images.notes { notice("\(source): \(note)") }
    if disk == nil {
      notice("\(image) does not say which platform it is for, so that of the container images is not checked; --platform gives it")
    }
    let work = output + ".work-\(UUID().uuidString)"
    try DeployTree.makeDirectory(work)
    defer { try? FileManager.default.removeItem(atPath: work) }
    let images = try chosen.map { try preloadable($0, work) }
    return try Preloader.preload(image: image, images: images, into: output, scratch: work, flasherInner: inner, time: time)
  }

  /// Devices know the image by its Docker manifest, whatever flavour the layout holds; only where there is none by the layout's own.
  private func preloadable(_ image: StoredImage, _ work: String) throws -> PreloadImage {
    let blobs = try ImageBlobs(image, scratch: "\(work)/\(image.id.hex)")
    guard let manifest = try blobs.dockerManifest() ?? blobs.ownManifest() else { throw ToolboxError.farm("image \(image.id) has no manifest") }
    let names = PreloadName.names(of: image)
    if names.isMadeUp { notice("\(source): \(names.reason); on the device the image is called \(names.texts[0])") }
    return PreloadImage(names: names.texts, manifestDigest: manifest.blob.digest, config: image.configBytes, layers: blobs.layers)
  }
}
