/// The entries of one layer as overlay2 keeps them: whiteouts as devices, opaque directories as an attribute.
///
/// Nodes stand in an order in which every directory comes before what it holds, and a file before its other names.
struct LayerTree: Sendable {
  /// Whole blocks of a file that are not zero; `block` and `count` in units of ``blockSize``, `offset` in the spool file.
  struct Run: Sendable, Equatable {
    var block: Int64
    var count: Int64
    var offset: Int64
  }

  enum Kind: Sendable, Equatable {
    case directory
    case file(size: Int64, runs: [Run])
    case symlink(target: [UInt8])
    /// Another name of an earlier node.
    case hardlink(node: Int)
    case characterDevice(major: UInt32, minor: UInt32)
    case blockDevice(major: UInt32, minor: UInt32)
    case fifo
  }

  struct Node: Sendable {
    var parent: Int
    var name: [UInt8]
    var kind: Kind
    var attributes: Attributes
    var xattrs: [(name: String, value: [UInt8])] = []
  }

  /// The unit of runs: no ext4 that is written has larger blocks.
  static let blockSize: Int64 = 4096

  /// Node 0 is the layer's root.
  var nodes: [Node]
}

/// Owner, permissions and time of an entry.
struct Attributes: Sendable, Equatable {
  /// At most 0o7777.
  var mode: UInt16
  var uid: UInt32 = 0
  var gid: UInt32 = 0
  /// Seconds since 1970.
  var mtime: Int64
  var nanoseconds: UInt32 = 0
}
