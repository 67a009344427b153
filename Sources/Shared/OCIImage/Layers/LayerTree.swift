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
