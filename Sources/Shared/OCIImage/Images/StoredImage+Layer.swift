import BlobStore
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
      try LayerCompression(of: self, in: InputFile(path: path, following: followsLinks))
    }

    /// Takes the layer into a store as a gzip blob of ``GzipChunks``, whatever form it has here; the diff id stays. Also returns the tar's size,
    /// which may be at most `limit`.
    package func compress(
      into store: BlobStore, limit: Int64 = TarReader.Limits().bytes
    ) throws -> (layer: BlockResult.Layer, tarSize: Int64) {
      let bytes = try LayerReader(self, limit: limit)
      let blob = try BlobWriter(store: store)
      let gzip = GzipChunks(into: blob)
      while let part = try bytes.next() { try gzip.write(part) }
      try gzip.finish()
      return (BlockResult.Layer(blob: try blob.finish(expecting: nil), diffID: diffID), bytes.count)
    }
  }
}
