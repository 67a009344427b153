import BuildModel
import OCIImage

/// A layer that was read and found right: its tree, its files' contents in a scratch file, and what the image store keeps about it.
struct UnpackedLayer: Sendable {
  let diffID: Digest
  let tree: LayerTree
  /// Where the files' contents are in the spool, in the order of the tar.
  let contents: [[SpooledRun]]
  let spool: String
  let tarSplit: [UInt8]
  /// Sizes of regular files and lengths of symbolic links: the layer's `size` file.
  let appliedSize: Int64

  /// Reads the layer; the files' contents go to a new file at `spool`.
  ///
  /// `time` is for directories that the layer does not list.
  static func read(_ layer: StoredImage.Layer, spool: String, time: Int64) throws(PreloadError) -> UnpackedLayer {
    do {
      let unpacking = try LayerUnpacking(spool)
      let (tree, _) = try LayerTree.read(layer, time: time, visitor: unpacking)
      try unpacking.finish()
      return UnpackedLayer(
        diffID: layer.diffID, tree: tree, contents: unpacking.contents, spool: spool, tarSplit: unpacking.tarSplit.compressed,
        appliedSize: unpacking.appliedSize)
    } catch let error as PreloadError {
      throw error
    } catch let error as OCIImageError {
      throw PreloadError(error, layer: layer.digest ?? layer.diffID)
    } catch {
      throw .layer(digest: layer.digest ?? layer.diffID, reason: "it cannot be read")
    }
  }

  /// Where a file's content is; nothing for other nodes.
  func runs(of node: LayerTree.Node) -> [SpooledRun] {
    if case .file(_, let content) = node.kind { contents[content] } else { [] }
  }
}

/// Spools files and writes tar-split while a layer is read.
private final class LayerUnpacking: LayerVisitor {
  let tarSplit: TarSplitWriter
  private(set) var contents: [[SpooledRun]] = []
  private(set) var appliedSize: Int64 = 0
  private var spool: LayerSpool
  private var checksum = CRC64()

  init(_ path: String) throws(PreloadError) {
    tarSplit = try TarSplitWriter()
    spool = try LayerSpool(path)
  }

  func take(raw bytes: UnsafeRawBufferPointer) { tarSplit.add(raw: bytes) }

  func take(content bytes: UnsafeRawBufferPointer) throws {
    checksum.update(bytes)
    try spool.append(bytes)
  }

  func end(_ member: TarMember) throws {
    var size: Int64 = 0
    switch member.kind {
    case .file(let bytes):
      size = bytes
      appliedSize += bytes
      contents.append(try spool.endFile())
    case .symlink(let target): appliedSize += Int64(target.count)
    default: break
    }
    tarSplit.add(member: member.name, size: size, checksum: checksum)
    checksum = CRC64()
  }

  func finish() throws(PreloadError) {
    try spool.finish()
    tarSplit.finish()
  }
}
