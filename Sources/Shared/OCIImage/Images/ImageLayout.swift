import BlobStore
import BuildModel
import CanonicalJSON
import FoundationEssentials
import Glibc

/// An OCI image layout directory (image-spec image-layout.md): `oci-layout`, `index.json`, `blobs/sha256/`.
package struct ImageLayout: Sendable {
  package let directory: String

  package struct Image: Sendable {
    /// The value of `org.opencontainers.image.ref.name`, by which skopeo and umoci find the image.
    package var name: String
    package var manifest: BlobDescriptor
    package var platform: Platform
    /// Everything the manifest names.
    package var blobs: [BlobDescriptor]
    package init(name: String, manifest: BlobDescriptor, platform: Platform, blobs: [BlobDescriptor]) {
      self.name = name
      self.manifest = manifest
      self.platform = platform
      self.blobs = blobs
    }
  }

  private struct Entry: Codable {
    var mediaType: String
    var digest: Digest
    var size: Int64
    var platform: Platform
    var annotations: [String: String]
  }
  private struct Index: Codable {
    var schemaVersion = 2
    var mediaType = MediaType.ociIndex
    var manifests: [Entry]
  }

  package init(directory: String) { self.directory = directory }

  /// Writes the layout with exactly these images; blobs are linked from the store, index.json comes last.
  package func write(_ images: [Image], from store: BlobStore) throws {
    let blobs = directory + "/blobs/sha256"
    for path in [directory, directory + "/blobs", blobs] {
      if let reason = OutputPath.reasonNotDirectory(path) { throw OCIImageError.output(path: path, reason: reason) }
    }
    for path in ["oci-layout", "index.json"].map({ "\(directory)/\($0)" }) {
      if let reason = OutputPath.reasonNotFile(path) { throw OCIImageError.output(path: path, reason: reason) }
    }
    for path in [directory, directory + "/blobs", blobs] where mkdir(path, 0o755) != 0 && errno != EEXIST {
      throw OCIImageError.system(operation: "mkdir", path: path, errno: errno)
    }
    var linked: Set<Digest> = []
    for blob in images.flatMap({ [$0.manifest] + $0.blobs }) where linked.insert(blob.digest).inserted {
      try store.link(blob.digest, to: "\(blobs)/\(blob.digest.hex)")
    }
    try put(Array("{\"imageLayoutVersion\":\"1.0.0\"}".utf8), at: "oci-layout")
    let index = Index(
      manifests: images.map {
        Entry(
          mediaType: MediaType.ociManifest, digest: $0.manifest.digest, size: $0.manifest.size, platform: $0.platform,
          annotations: ["org.opencontainers.image.ref.name": $0.name])
      })
    try put(try CanonicalJSON.encode(index), at: "index.json")
  }

  private func put(_ bytes: [UInt8], at name: String) throws {
    let path = directory + "/" + name
    try Data(bytes).write(to: URL(filePath: path + ".new"))
    guard rename(path + ".new", path) == 0 else { throw OCIImageError.system(operation: "rename", path: path, errno: errno) }
  }
}
