import BlobStore
import BuildModel

extension StoredImage.Layer {
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
