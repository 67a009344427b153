import BuildModel

/// A layer that was read and found right: its tree, its files' contents in a scratch file, and what the image store keeps about it.
struct UnpackedLayer: Sendable {
  let digest: Digest
  let diffID: Digest
  let tree: LayerTree
  let spool: String
  let tarSplit: [UInt8]
  /// Sizes of regular files and lengths of symbolic links: the layer's `size` file.
  let appliedSize: Int64

  /// Reads the blob at `path`; the files' contents go to a new file at `spool`.
  ///
  /// `time` is for directories that the layer does not list.
  static func read(_ path: String, digest: Digest, diffID: Digest, spool: String, time: Int64) throws(PreloadError) -> UnpackedLayer {
    let stream = try LayerStream(path: path, digest: digest, diffID: diffID)
    let tarSplit = try TarSplitWriter()
    var reader = TarReader(stream, tarSplit: tarSplit, digest: digest)
    var contents = try LayerSpool(spool)
    var builder = LayerTreeBuilder(time: time)
    var appliedSize: Int64 = 0
    while let member = try reader.next() {
      var checksum = CRC64()
      var size: Int64 = 0
      if case .file(let bytes) = member.kind {
        size = bytes
        var rest = bytes
        while rest > 0 {
          let part = try reader.content(rest)
          checksum.update(part)
          try contents.append(part)
          rest -= Int64(part.count)
        }
        appliedSize += bytes
      }
      if case .symlink(let target) = member.kind { appliedSize += Int64(target.count) }
      let runs = try contents.endFile()
      do { try builder.add(member, runs: runs) } catch { throw .layer(digest: digest, reason: error.reason) }
      tarSplit.add(member: member.name, size: size, checksum: checksum)
    }
    try contents.finish()
    tarSplit.finish()
    return UnpackedLayer(
      digest: digest, diffID: diffID, tree: builder.tree, spool: spool, tarSplit: tarSplit.compressed, appliedSize: appliedSize)
  }
}
