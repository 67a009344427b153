import BuildModel
import CanonicalJSON
import FoundationEssentials

/// Media types (OCI image-spec media-types.md; Docker image manifest version 2, schema 2).
package enum MediaType {
  package static let ociManifest = "application/vnd.oci.image.manifest.v1+json"
  package static let ociConfig = "application/vnd.oci.image.config.v1+json"
  package static let ociIndex = "application/vnd.oci.image.index.v1+json"
  package static let ociLayer = "application/vnd.oci.image.layer.v1.tar"
  package static let ociGzipLayer = "application/vnd.oci.image.layer.v1.tar+gzip"
  package static let dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
  package static let dockerConfig = "application/vnd.docker.container.image.v1+json"
  package static let dockerList = "application/vnd.docker.distribution.manifest.list.v2+json"
  package static let dockerLayer = "application/vnd.docker.image.rootfs.diff.tar"
  package static let dockerGzipLayer = "application/vnd.docker.image.rootfs.diff.tar.gzip"

  static let manifests: Set = [ociManifest, dockerManifest]
  static let indexes: Set = [ociIndex, dockerList]
  static let configs: Set = [ociConfig, dockerConfig]

  /// Whether it is a layer of a file system, however it is compressed; what is in a manifest beside such layers is something else.
  static func isLayer(_ type: String) -> Bool {
    type.hasPrefix(ociLayer) || type.hasPrefix("application/vnd.oci.image.layer.nondistributable.v1.tar") || type.hasPrefix(dockerLayer)
      || type.hasPrefix("application/vnd.docker.image.rootfs.foreign.diff.tar")
  }
}

/// Digest, size and kind of some content.
package struct Descriptor: Codable, Hashable, Sendable {
  package var mediaType: String
  package var digest: Digest
  package var size: Int64
  package var annotations: [String: String]?
  package init(mediaType: String, blob: BlobDescriptor, annotations: [String: String]? = nil) {
    self.mediaType = mediaType
    digest = blob.digest
    size = blob.size
    self.annotations = annotations
  }

  package var blob: BlobDescriptor { BlobDescriptor(digest: digest, size: size) }
}

/// The JSON that names config and layers by digest; the same shape in both of its flavours.
package struct ImageManifest: Codable, Hashable, Sendable {
  package var schemaVersion = 2
  package var mediaType: String
  package var config: Descriptor
  package var layers: [Descriptor]

  package enum Flavour: Sendable { case oci, docker }

  package init(_ flavour: Flavour, config: BlobDescriptor, gzipLayers: [BlobDescriptor]) {
    switch flavour {
    case .oci:
      mediaType = MediaType.ociManifest
      self.config = Descriptor(mediaType: MediaType.ociConfig, blob: config)
      layers = gzipLayers.map { Descriptor(mediaType: MediaType.ociGzipLayer, blob: $0) }
    case .docker:
      mediaType = MediaType.dockerManifest
      self.config = Descriptor(mediaType: MediaType.dockerConfig, blob: config)
      layers = gzipLayers.map { Descriptor(mediaType: MediaType.dockerGzipLayer, blob: $0) }
    }
  }

  /// The bytes whose digest names the image: one line, keys sorted.
  package func bytes() throws -> [UInt8] { try CanonicalJSON.encode(self) }
}
