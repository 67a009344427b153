import BuildModel

extension StoredImage {
  /// One layer as it is stored: tar, plain or compressed.
  package struct Layer: Sendable {
    /// sha256 of the tar, as the config states it.
    package let diffID: Digest
    /// Of the blob as it is stored: in a layout the manifest names it, in a docker-archive nobody does.
    package let digest: Digest?
    /// Of the blob.
    package let size: Int64
    /// The file that holds the blob, from `offset` on.
    package let path: String
    package let offset: Int64
    let followsLinks: Bool

    /// A layer whose blob is a whole file.
    package init(_ blob: BlobDescriptor, at path: String, diffID: Digest) {
      self.init(part: LayerPart(digest: blob.digest, path: path, offset: 0, size: blob.size, followsLinks: false), diffID: diffID)
    }

    init(part: LayerPart, diffID: Digest) {
      self.diffID = diffID
      digest = part.digest
      size = part.size
      path = part.path
      offset = part.offset
      followsLinks = part.followsLinks
    }

    /// For messages.
    package var label: String { "\(digest ?? diffID)" }

    /// How it is stored, by its first bytes.
    package func compression() throws(OCIImageError) -> LayerCompression {
      try LayerCompression(at: offset, size: size, in: InputFile(path: path, following: followsLinks))
    }
  }
}
