import BuildModel
import FoundationEssentials

import struct Crypto.SHA256

/// The file tree that an image's layers give when they are laid over each other, without its bytes.
package struct ImageTree: Sendable {
  package struct Entry: Hashable, Sendable {
    /// A hard link has the kind of the file it is.
    package var kind: Kind
    package var mode: UInt32
    package var uid: UInt32
    package var gid: UInt32
    package var mtime: Int64
    package var xattrs: [String: [UInt8]]
    /// The first of a file's names, which all its names share.
    package var firstName: [UInt8]
  }
  package enum Kind: Hashable, Sendable {
    case directory
    case file(size: Int64, digest: Digest)
    case symlink(target: [UInt8])
    case characterDevice(major: UInt32, minor: UInt32)
    case blockDevice(major: UInt32, minor: UInt32)
    case fifo
  }

  /// By path from the root, without the root itself.
  package let entries: [[UInt8]: Entry]
  /// How many entries each layer's tar has, lowest first.
  package private(set) var layerEntries: [Int] = []
  /// Bytes of each layer's tar.
  package private(set) var layerSizes: [Int64] = []

  /// Streams all layers; throws where one is not what the image's config names, or breaks off.
  ///
  /// The layers are merged as an overlay mount merges them: only a directory over a directory shows what both hold, everything else hides what is
  /// below it. A directory that a layer only implies, because it holds something, is one (root's, 0755) and hides what is no directory below it, too.
  package init(_ image: StoredImage) throws {
    var union = LayerUnion()
    // One budget for all layers.
    var limits = TarReader.Limits()
    for layer in image.layers {
      let contents = FileDigests()
      let (tree, count) = try LayerTree.read(layer, limits: limits, time: 0, visitor: contents)
      limits.entries -= count.entries
      limits.bytes -= count.bytes
      limits.metadata -= count.metadata
      layerEntries.append(count.entries)
      layerSizes.append(count.bytes)
      union.lay(tree, contents: contents.digests)
    }
    do { entries = try union.entries() } catch { throw OCIImageError.malformed(what: "image \(image.id)", reason: error.reason) }
  }
}

/// The digests of a layer's files in the tar's order.
private final class FileDigests: LayerVisitor {
  private(set) var digests: [Digest] = []
  private var hash = SHA256()

  func take(raw bytes: UnsafeRawBufferPointer) {}
  func take(content bytes: UnsafeRawBufferPointer) { hash.update(bufferPointer: bytes) }

  func end(_ member: TarMember) throws {
    guard case .file = member.kind else { return }
    guard let digest = Digest(bytes: hash.finalize()) else { throw OCIImageError.compression("no digest") }
    digests.append(digest)
    hash = SHA256()
  }
}
