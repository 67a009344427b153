import BlobStore
import BuildModel
import FoundationEssentials
import OCIImage
import Publishing
import TestFiles

/// A publication with real blobs. The same seed gives the same bytes in every process.
package struct SamplePublication: Sendable {
  package var slug = "generic-amd64"
  package var version = "2.60.1"
  package var blocks = ["kernel", "tools"]
  package var isRelease = true
  /// Changes the content of the blocks.
  package var seed: UInt8 = 1
  /// Bytes of each block's own layer, uncompressed.
  package var layerSize = 40_000
  /// An asset of this size is sent in parts; 0 leaves it out.
  package var largeAsset = 0
  package var hasHostapp = true

  package init() {}

  package func make(in store: BlobStore) throws -> Publication {
    // One layer that all images share, so that it is mounted.
    let shared = try layer("usr/share/common", seed: 0, in: store)
    var made: [Publication.Block] = []
    for (index, name) in blocks.enumerated() {
      let image = try image([shared, layer("usr/lib/\(name)", seed: seed &* 16 &+ UInt8(index), in: store)], in: store)
      made.append(.init(name: try BlockName(name), image: image, contract: ["type": "sw.block", "slug": .text(name)]))
    }
    let slug = try Slug(self.slug)
    let deviceType = DeviceType(
      slug: slug, aliases: [], name: slug.text, arch: .amd64, state: .released,
      yocto: .init(
        machine: try Machine(slug.text), image: [try RecipeName("balena-image")], fstype: nil, codename: "kirkstone",
        deployArtifact: "balena-image-\(slug).balenaos-img", deployFlasherArtifact: nil, deployRawArtifact: nil, compressed: true, archive: false),
      file: slug.text)
    guard let version = OSVersion(version) else { preconditionFailure("no version: \(version)") }
    return Publication(
      deviceType: deviceType, version: version, isRelease: isRelease, baseVersion: OSVersion("2.60.1"),
      repositoryURL: "https://github.com/balena-os/balena-generic", blocks: made, hostapp: hasHostapp ? try hostapp(shared, version, in: store) : nil)
  }

  private func hostapp(_ shared: BlockResult.Layer, _ version: OSVersion, in store: BlobStore) throws -> Publication.Hostapp {
    var files: [String: [UInt8]] = [
      "VERSION": Array("12.11.0".utf8), "VERSION_HOSTOS": Array(version.text.utf8), "device-type.json": Array("{\"slug\":\"\(slug)\"}".utf8),
      "image.json": Array("{}".utf8), "compressed/part-0.deflate": noise(2000, seed: 99),
    ]
    if largeAsset > 0 { files["balena-image.manifest"] = noise(largeAsset, seed: 98) }
    let assets = try files.sorted { $0.key < $1.key }.map { key, content in
      guard let path = RelativePath(key) else { preconditionFailure("no path: \(key)") }
      return Publication.Asset(key: path, blob: try store.put(content))
    }
    return Publication.Hostapp(
      image: try image([shared, layer("bin/init", seed: 200, in: store)], in: store), contract: ["type": "sw.block", "slug": "balenaos"],
      boardRevision: "4f2c1a0", assets: assets)
  }

  private func image(_ layers: [BlockResult.Layer], in store: BlobStore) throws -> PublishableImage {
    let labels = ["io.balena.image.class": "overlay", "io.balena.image.store": "data", "org.example.other": "1"]
    let config = ImageConfig(
      platform: Architecture.amd64.platform, labels: labels, diffIDs: layers.map(\.diffID), created: 0, createdBy: "test")
    let configBlob = try store.put(try config.bytes())
    let manifest = ImageManifest(.docker, config: configBlob, gzipLayers: layers.map(\.blob))
    return PublishableImage(manifest: try store.put(try manifest.bytes()), config: configBlob, layers: layers.map(\.blob), labels: labels)
  }

  private func layer(_ path: String, seed: UInt8, in store: BlobStore) throws -> BlockResult.Layer {
    let writer = try LayerWriter(store: store)
    let content = noise(layerSize, seed: UInt64(seed))
    try writer.begin(
      TarEntry(path: Array(path.utf8), kind: .file(size: Int64(content.count)), mode: 0o644, uid: 0, gid: 0, mtime: 0))
    try content.withUnsafeBytes { try writer.write($0) }
    return try writer.finish()
  }
}
