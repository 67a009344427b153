/// One member of a package's data archive, with a path that cannot leave the root.
package struct IpkEntry: Sendable {
  package enum Kind: Hashable, Sendable {
    case directory
    case file(size: Int64)
    case symlink(target: [UInt8])
    /// Path of an earlier file of the same package.
    case hardlink(target: [UInt8])
    case characterDevice(major: UInt32, minor: UInt32)
    case blockDevice(major: UInt32, minor: UInt32)
  }
  /// Relative to the root, components separated by `/`, no `.` or `..`; empty for the root itself.
  package var path: [UInt8]
  package var kind: Kind
  package var mode: UInt32
  package var uid: UInt32
  package var gid: UInt32
  package var mtime: Int64
  package var xattrs: [String: [UInt8]]

  package var pathText: String { String(decoding: path, as: UTF8.self) }
}

/// Bounds for one package.
package struct IpkLimits: Sendable {
  package var entries = 200_000
  /// Of one file.
  package var file: Int64 = (4 << 30) - 1
  /// Of all that the data archive unpacks to.
  package var bytes: Int64 = 8 << 30
  /// Paths, link targets and extended attributes of all entries, which are in memory while the package is read.
  package var names = 64 << 20
  /// Unpacked bytes for one byte of the data archive, once more than 64 MiB came out.
  package var ratio: Int64 = 100
  package init() {}
}
