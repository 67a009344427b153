import BuildModel
import OCIImage
import Registry

/// An image in a file or directory that can be put into a registry.
package enum PushableImage {
  /// Which of its two manifests a block is known by.
  package enum Format: String, Sendable, CaseIterable {
    /// What devices and registries refer to.
    case docker
    /// The manifest of the layout as it is.
    case oci
  }

  /// Reads `LAYOUT[:NAME]` or `ARCHIVE[:TAG]`. Layers of an archive are compressed below `scratch`. `notice` gets a line for what is left out.
  static func read(
    _ place: String, platform: Platform? = nil, format: Format, scratch: String, notice: (String) -> Void = { _ in }
  ) throws -> LocalImage {
    let place = try ImagePlace(place)
    var images = try place.images()
    let image = try images.select(place.name, platform: platform)
    for note in images.notes { notice("\(place.path): \(note)") }
    if format == .oci, image.manifest == nil {
      throw ToolboxError.usage("a docker-archive has no OCI manifest; push it with --format docker")
    }
    let blobs = try ImageBlobs(image, scratch: scratch)
    guard let manifest = format == .oci ? try blobs.ownManifest() : try blobs.dockerManifest() else {
      throw ToolboxError.usage("the image has layers that are not gzip, which have no Docker manifest; push it with --format oci")
    }
    return LocalImage(manifest: manifest, blobs: blobs.blobs)
  }
}
