/// The entries of one layer as overlay2 keeps them: whiteouts as devices, opaque directories as an attribute.
///
/// Nodes stand in an order in which every directory comes before what it holds, and a file before its other names.
package struct LayerTree: Sendable {
  package enum Kind: Sendable, Hashable {
    case directory
    /// `content` counts the regular files of the layer's tar from 0, whiteouts among them.
    case file(size: Int64, content: Int)
    case symlink(target: [UInt8])
    /// Another name of an earlier node.
    case hardlink(node: Int)
    /// 0:0 is a whiteout: it hides what lower layers have at its place.
    case characterDevice(major: UInt32, minor: UInt32)
    case blockDevice(major: UInt32, minor: UInt32)
    case fifo
  }

  package struct Node: Sendable {
    package var parent: Int
    package var name: [UInt8]
    package var kind: Kind
    package var attributes: Attributes
    /// Sorted by name.
    package var xattrs: [(name: String, value: [UInt8])] = []

    /// Whether it hides what lower layers have in the directory of this name.
    package var isOpaque: Bool { xattrs.contains { $0.name == LayerTree.opaqueAttribute && $0.value == [UInt8(ascii: "y")] } }
    package var isWhiteout: Bool { kind == .characterDevice(major: 0, minor: 0) }
  }

  /// Owner, permissions and time of an entry.
  package struct Attributes: Sendable, Hashable {
    /// At most 0o7777.
    package var mode: UInt16
    package var uid: UInt32
    package var gid: UInt32
    /// Seconds since 1970.
    package var mtime: Int64
    package var nanoseconds: UInt32

    package init(mode: UInt16, uid: UInt32 = 0, gid: UInt32 = 0, mtime: Int64, nanoseconds: UInt32 = 0) {
      self.mode = mode
      self.uid = uid
      self.gid = gid
      self.mtime = mtime
      self.nanoseconds = nanoseconds
    }
  }

  /// Kernel documentation, overlayfs, "whiteouts and opaque directories".
  static let opaqueAttribute = "trusted.overlay.opaque"

  /// Node 0 is the layer's root.
  package internal(set) var nodes: [Node]
}

/// Who wants more of a layer than its tree. Calls come in the tar's order.
package protocol LayerVisitor: AnyObject {
  /// Bytes of the tar that are not content.
  func take(raw bytes: UnsafeRawBufferPointer)
  /// The next bytes of the member that ``end(_:)`` will be called with.
  func take(content bytes: UnsafeRawBufferPointer) throws
  /// The member has ended. Regular files come in the order of the `content` of ``LayerTree/Kind/file(size:content:)``.
  func end(_ member: TarMember) throws
}

extension LayerTree {
  /// What was read.
  package struct Count: Sendable, Hashable {
    /// Members of the tar.
    package var entries = 0
    /// Bytes of the tar.
    package var bytes: Int64 = 0
    /// Bytes of names, targets and attributes.
    var metadata = 0
  }

  /// Reads a layer to its end; its digests have been found right when this returns. Directories that the tar implies but does not list get `time`.
  ///
  /// Throws ``OCIImageError``, and what the visitor throws.
  package static func read(
    _ layer: StoredImage.Layer, limits: TarReader.Limits = TarReader.Limits(), time: Int64, visitor: some LayerVisitor
  ) throws -> (tree: LayerTree, count: Count) {
    let bytes = try LayerReader(layer, limit: limits.bytes)
    let what = "layer \(layer.label)"
    var reader = TarReader(bytes, what: what, limits: limits) { visitor.take(raw: $0) }
    var builder = LayerTreeBuilder(time: time)
    while let member = try reader.next() {
      while let part = try reader.content() { try visitor.take(content: part) }
      do { try builder.add(member) } catch { throw OCIImageError.malformed(what: what, reason: error.reason) }
      try visitor.end(member)
    }
    do { try builder.addWhiteouts() } catch { throw OCIImageError.malformed(what: what, reason: error.reason) }
    return (builder.tree, Count(entries: reader.count, bytes: bytes.count, metadata: reader.metadata))
  }
}
