import BuildModel
import OCIImage

/// A container image to preload.
package struct PreloadImage: Sendable {
  /// `repository:tag` or `repository`, for instance `local/acme-blk:6.1.24_rev3`; a repository without a tag is known by the digest alone.
  package let names: [String]
  /// Of the Docker manifest: the digest that the registry knows the image by.
  package let manifestDigest: Digest
  /// The image's configuration, byte for byte.
  package let config: [UInt8]
  /// Bottom first.
  package let layers: [StoredImage.Layer]

  package init(names: [String], manifestDigest: Digest, config: [UInt8], layers: [StoredImage.Layer]) {
    self.names = names
    self.manifestDigest = manifestDigest
    self.config = config
    self.layers = layers
  }

  /// Whether an engine takes the text as the name of an image, with or without a tag.
  package static func isName(_ text: String) -> Bool { ImageName(text) != nil }
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
