import BlobStore
import BuildModel
import HTTPSupport
import OCIImage
import TestFiles

@testable import HTTP
@testable import Registry

/// A small image: a config and gzip layers of noise, made as blocks are (nobody here looks into the tar).
struct TestImage {
  let image: LocalImage
  let layers: [BlobDescriptor]
  let config: BlobDescriptor

  init(in scratch: String, layers sizes: [Int], seed: UInt64 = 1, flavour: ImageManifest.Flavour = .docker, architecture: String = "arm64") throws {
    var layers: [BlobDescriptor] = []
    var blobs: [LocalBlob] = []
    var diffIDs: [Digest] = []
    let store = try BlobStore(root: scratch + "/made")
    for (index, size) in sizes.enumerated() {
      let bytes = noise(size, seed: seed * 100 + UInt64(index))
      let writer = try BlobWriter(store: store)
      let gzip = GzipChunks(into: writer)
      try bytes.withUnsafeBytes { try gzip.write($0) }
      try gzip.finish()
      let layer = try writer.finish(expecting: nil)
      layers.append(layer)
      diffIDs.append(blob(bytes).digest)
      blobs.append(LocalBlob(layer, file: store.path(layer.digest)))
    }
    let bytes = try ImageConfig(
      platform: Platform(os: "linux", architecture: architecture, variant: nil), labels: ["io.balena.image.class": "overlay"],
      diffIDs: diffIDs, created: 0, createdBy: "test"
    ).bytes()
    config = blob(bytes)
    blobs.append(LocalBlob(config, bytes: bytes))
    let manifest = ImageManifest(flavour, config: config, gzipLayers: layers)
    image = LocalImage(manifest: try LocalManifest(try manifest.bytes(), mediaType: manifest.mediaType), blobs: blobs)
    self.layers = layers
  }
}
