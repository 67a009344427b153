import BlobStore
import BoundedConcurrency
import BuildModel
import CanonicalJSON
import FoundationEssentials
import OCIImage
import Preload

import struct Crypto.SHA256

/// Preloads images of an OCI layout into a disk image, without a farm.
package struct StandalonePreload: Sendable {
  package var image: String
  /// Directory of the OCI image layout.
  package var layout: String
  /// Values of `org.opencontainers.image.ref.name`; empty means every image of the layout.
  package var tags: [String]
  package var output: String
  /// Name of the inner image of a flasher.
  package var inner: String?
  /// Seconds since 1970 for what the layers bring no time for.
  package var time: Int64

  package init(image: String, layout: String, tags: [String], output: String, inner: String?, time: Int64) {
    self.time = time
    self.image = image
    self.layout = layout
    self.tags = tags
    self.output = output
    self.inner = inner
  }

  package func run() async throws(ToolboxError) -> PreloadReport {
    do {
      return try await BlockingWork.run {
        let images = try readLayout()
        let work = output + ".work-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: work, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: work) }
        return try Preloader.preload(image: image, images: images, into: output, scratch: work, flasherInner: inner, time: time)
      }
    } catch let error as ToolboxError {
      throw error
    } catch {
      throw .farm("\(error)")
    }
  }

  private struct Index: Decodable {
    struct Entry: Decodable {
      var digest: Digest
      var annotations: [String: String]?
    }
    var manifests: [Entry]
  }

  private func readLayout() throws -> [PreloadImage] {
    let index = try document(Index.self, layout + "/index.json")
    func path(_ digest: Digest) -> String { "\(layout)/blobs/sha256/\(digest.hex)" }
    let named = index.manifests.compactMap { entry in
      entry.annotations?["org.opencontainers.image.ref.name"].map { (name: $0, digest: entry.digest) }
    }
    for tag in tags where !named.contains(where: { $0.name == tag }) {
      throw ToolboxError.usage("no image '\(tag)' in \(layout); there are: \(named.map(\.name).joined(separator: ", "))")
    }
    return try named.filter { tags.isEmpty || tags.contains($0.name) }.map { image in
      let manifest = try document(ImageManifest.self, path(image.digest))
      let config = try document(ImageConfig.self, path(manifest.config.digest))
      guard config.rootfs.diff_ids.count == manifest.layers.count else {
        throw ToolboxError.usage("image '\(image.name)': its config and manifest disagree about the layers")
      }
      // Devices know the image by its Docker manifest, whatever flavour the layout holds.
      let docker = try ImageManifest(
        .docker, config: BlobDescriptor(digest: manifest.config.digest, size: manifest.config.size),
        gzipLayers: manifest.layers.map { BlobDescriptor(digest: $0.digest, size: $0.size) }
      ).bytes()
      guard let digest = Digest(bytes: SHA256.hash(data: docker)) else { throw ToolboxError.farm("no digest of image '\(image.name)'") }
      return PreloadImage(
        names: ["local/\(image.name):latest"], manifestDigest: digest, config: path(manifest.config.digest),
        layers: zip(manifest.layers, config.rootfs.diff_ids).map { .init(path: path($0.digest), digest: $0.digest, diffID: $1) })
    }
  }

  private func document<Value: Decodable>(_ type: Value.Type, _ path: String) throws -> Value {
    let bytes = try Data(contentsOf: URL(filePath: path))
    do { return try CanonicalJSON.decode(type, from: bytes) } catch { throw ToolboxError.usage("\(path): \(error)") }
  }
}
