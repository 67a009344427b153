import FoundationEssentials

/// One member of a layer.
package struct TarEntry: Hashable, Sendable {
  package enum Kind: Hashable, Sendable {
    case directory
    /// A regular file; its bytes follow.
    case file(size: Int64)
    case symlink(target: [UInt8])
    /// Another name of an earlier file of the same layer, by its path.
    case hardlink(target: [UInt8])
    case characterDevice(major: UInt32, minor: UInt32)
    case blockDevice(major: UInt32, minor: UInt32)
    case fifo
  }
  /// Relative to the layer's root, without leading or trailing `/`.
  package var path: [UInt8]
  package var kind: Kind
  /// Permission bits with setuid, setgid and sticky: at most 0o7777.
  package var mode: UInt32
  package var uid: UInt32
  package var gid: UInt32
  /// Seconds since 1970.
  package var mtime: Int64
  /// What the time has beyond `mtime`, below 1,000,000,000.
  package var nanoseconds: UInt32
  /// Extended attributes by name, values as they are.
  package var xattrs: [String: [UInt8]]

  package init(
    path: [UInt8], kind: Kind, mode: UInt32, uid: UInt32, gid: UInt32, mtime: Int64, nanoseconds: UInt32 = 0, xattrs: [String: [UInt8]] = [:]
  ) {
    self.path = path
    self.kind = kind
    self.mode = mode
    self.uid = uid
    self.gid = gid
    self.mtime = mtime
    self.nanoseconds = nanoseconds
    self.xattrs = xattrs
  }
}
