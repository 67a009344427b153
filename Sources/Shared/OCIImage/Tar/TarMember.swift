import BuildModel

/// One member of a tar, with its names as they stand in the archive: any bytes but NUL.
package struct TarMember: Sendable {
  package let name: [UInt8]
  /// The targets of links are as they stand there, too.
  package let kind: TarEntry.Kind
  /// At most 0o7777.
  package let mode: UInt32
  package let uid: UInt32
  package let gid: UInt32
  /// Seconds since 1970, rounded down.
  package let mtime: Int64
  /// Below 1,000,000,000.
  package let nanoseconds: UInt32
  package let xattrs: [String: [UInt8]]

  /// For messages.
  var quotedName: String { Printable.quoted(name) }

  /// What is held of the member beside its content, in bytes.
  var metadataSize: Int {
    var target = 0
    switch kind {
    case .symlink(let bytes), .hardlink(let bytes): target = bytes.count
    default: break
    }
    return name.count + target + xattrs.reduce(0) { $0 + $1.key.utf8.count + $1.value.count }
  }
}

extension TarMember {
  /// The member as an entry of a layer: paths are relative to its root, which itself has the empty path. Throws where it cannot be one.
  package func entry(what: String) throws(OCIImageError) -> TarEntry {
    do { return try entry() } catch { throw .malformed(what: what, reason: error.reason) }
  }

  func entry() throws(TarFault) -> TarEntry {
    var kind = kind
    switch kind {
    case .hardlink(let target): kind = .hardlink(target: try LayerPath.clean(target))
    case .symlink(let target):
      // PATH_MAX of Linux, which counts the NUL at the end.
      guard (1..<4096).contains(target.count) else {
        throw TarFault("the symbolic link \(quotedName) has an impossible target of \(Counted(target.count, "byte"))")
      }
    default: break
    }
    return TarEntry(
      path: try LayerPath.clean(name), kind: kind, mode: mode, uid: uid, gid: gid, mtime: mtime, nanoseconds: nanoseconds, xattrs: xattrs)
  }
}
