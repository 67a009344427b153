import BuildModel

/// A container image to preload, as files.
package struct PreloadImage: Sendable {
  package struct Layer: Sendable {
    /// The blob: tar, plain or gzip.
    package let path: String
    /// Of the blob.
    package let digest: Digest
    /// Of the uncompressed tar.
    package let diffID: Digest
    package init(path: String, digest: Digest, diffID: Digest) {
      self.path = path
      self.digest = digest
      self.diffID = diffID
    }
  }
  /// `repository:tag` or `repository`, for instance `local/acme-blk:6.1.24_rev3`; a repository without a tag is known by the digest alone.
  package let names: [String]
  /// Of the Docker manifest: the digest that the registry knows the image by.
  package let manifestDigest: Digest
  /// The file that holds the image's configuration, byte for byte.
  package let config: String
  /// Bottom first.
  package let layers: [Layer]

  package init(names: [String], manifestDigest: Digest, config: String, layers: [Layer]) {
    self.names = names
    self.manifestDigest = manifestDigest
    self.config = config
    self.layers = layers
  }
}

/// What a preload did.
package struct PreloadReport: Sendable, Codable, Equatable {
  /// Of the disk image, in bytes; `sizeBefore` is the inner image's where it came out of a flasher.
  package var sizeBefore: Int64
  package var sizeAfter: Int64
  /// Of the data partition.
  package var partitionBefore: Int64
  package var partitionAfter: Int64
  /// The label that the data partition was found by.
  package var partition: String
  package var layersWritten = 0
  /// Layers that the partition had already.
  package var layersSkipped = 0
  /// Entries of the written layers, directories included.
  package var entries = 0
  /// Bytes in the files of the written layers.
  package var bytes: Int64 = 0
  /// The inner image's path, where the disk image is a flasher.
  package var flasherInner: String?
}
