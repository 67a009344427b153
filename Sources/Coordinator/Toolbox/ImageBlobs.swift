import BlobStore
import BuildModel
import HTTP
import OCIImage
import Registry
import Reports

/// An image as the blobs that registries and devices know: those of a layout as they are; the layers of a docker-archive compressed, to the very blobs
/// that the block has in a layout.
struct ImageBlobs {
  let image: StoredImage
  /// Lowest first, each with a digest of its blob.
  let layers: [StoredImage.Layer]

  /// What has to be compressed goes below `scratch`, which is made where it is needed. Throws ``OCIImageError`` and errors of the store.
  init(_ image: StoredImage, scratch: String) throws {
    self.image = image
    guard image.layers.contains(where: { $0.digest == nil }) else {
      layers = image.layers
      return
    }
    try DeployTree.makeDirectory(scratch)
    let store = try BlobStore(root: scratch + "/blobs")
    layers = try image.layers.map { layer in
      let blob = try layer.compress(into: store).layer.blob
      return StoredImage.Layer(blob, at: store.path(blob.digest), diffID: layer.diffID)
    }
  }

  var config: BlobDescriptor { BlobDescriptor(digest: image.id, size: Int64(image.configBytes.count)) }

  /// Config first.
  var blobs: [LocalBlob] {
    [LocalBlob(config, bytes: image.configBytes)] + descriptors.enumerated().map { LocalBlob($1, file: layers[$0].path, offset: layers[$0].offset) }
  }

  private var descriptors: [BlobDescriptor] {
    layers.map { BlobDescriptor(digest: $0.digest ?? $0.diffID, size: $0.size) }
  }

  /// The manifest of the layout as it is; nil for a docker-archive, which has none.
  func ownManifest() throws(HTTPError) -> LocalManifest? {
    guard let manifest = image.manifest, let bytes = image.manifestBytes else { return nil }
    return try LocalManifest(bytes, mediaType: manifest.mediaType)
  }

  /// The Docker manifest: the layout's own if it is one, else the one that names the same blobs. nil where a layer is not gzip, which such a manifest
  /// cannot say.
  func dockerManifest() throws -> LocalManifest? {
    if image.manifest?.mediaType == MediaType.dockerManifest { return try ownManifest() }
    guard try layers.allSatisfy({ try $0.compression() == .gzip }) else { return nil }
    let manifest = ImageManifest(.docker, config: config, gzipLayers: descriptors)
    return try LocalManifest(try manifest.bytes(), mediaType: manifest.mediaType)
  }
}
