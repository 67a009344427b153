import BuildModel
import CExt2FS
import OCIImage

/// Making inodes: what they are, whose, and when.
extension Ext4FileSystem {
  private static let extentsFlag = UInt32(EXT4_EXTENTS_FL)

  /// Takes a free inode near `directory`; it has to be written afterwards.
  func allocate(near directory: Inode, format: UInt16, _ path: @autoclosure () -> String) throws(PreloadError) -> Inode {
    var inode = Inode()
    try check(ext2fs_new_inode(handle, directory, Int32(format), nil, &inode), path())
    ext2fs_inode_alloc_stats2(handle, inode, 1, format == Self.directoryFormat ? 1 : 0)
    return inode
  }

  static let directoryFormat: UInt16 = 0o040000
  static let fileFormat: UInt16 = 0o100000
  static let symlinkFormat: UInt16 = 0o120000
  static let characterFormat: UInt16 = 0o020000
  static let blockFormat: UInt16 = 0o060000
  static let fifoFormat: UInt16 = 0o010000

  /// An inode in memory with owner, permissions and times. `now` stands in the times that the content does not bring.
  func record(format: UInt16, _ attributes: LayerTree.Attributes, links: Int, now: Int64) -> ext2_inode_large {
    var record = ext2_inode_large()
    record.i_mode = format | attributes.mode
    record.i_uid = UInt16(truncatingIfNeeded: attributes.uid)
    record.osd2.linux2.l_i_uid_high = UInt16(truncatingIfNeeded: attributes.uid >> 16)
    record.i_gid = UInt16(truncatingIfNeeded: attributes.gid)
    record.osd2.linux2.l_i_gid_high = UInt16(truncatingIfNeeded: attributes.gid >> 16)
    // More links than ext4 can count on a directory are written as 1 (feature dir_nlink).
    record.i_links_count = format == Self.directoryFormat && links >= 65000 ? 1 : UInt16(truncatingIfNeeded: links)
    record.i_extra_isize = 32
    // The engine lets times that its clock type cannot hold, before 1970 and after 2262, be the beginning.
    let isHeld = (0..<9_223_372_036).contains(attributes.mtime)
    record.i_mtime = UInt32(truncatingIfNeeded: isHeld ? attributes.mtime : 0)
    record.i_mtime_extra = isHeld ? Self.extra(attributes.mtime, attributes.nanoseconds) : 0
    record.i_atime = record.i_mtime
    record.i_atime_extra = record.i_mtime_extra
    record.i_ctime = UInt32(truncatingIfNeeded: now)
    record.i_ctime_extra = Self.extra(now, 0)
    record.i_crtime = record.i_ctime
    record.i_crtime_extra = record.i_ctime_extra
    if format == Self.directoryFormat || format == Self.fileFormat {
      record.i_flags = Self.extentsFlag
    }
    return record
  }

  /// The upper bits of a time and its nanoseconds (kernel documentation, filesystems/ext4, "Inode Timestamps").
  private static func extra(_ seconds: Int64, _ nanoseconds: UInt32) -> UInt32 {
    let low = Int64(Int32(truncatingIfNeeded: seconds))
    return UInt32(truncatingIfNeeded: (seconds - low) >> 32) & 3 | nanoseconds << 2
  }

  /// Writes a new inode; one with extents gets its empty tree.
  func writeNew(_ inode: Inode, _ record: inout ext2_inode_large, _ path: @autoclosure () -> String) throws(PreloadError) {
    let hasExtents = record.i_flags & Self.extentsFlag != 0
    let code = withUnsafeMutablePointer(to: &record) { pointer in
      pointer.withMemoryRebound(to: ext2_inode.self, capacity: 1) { plain in
        if hasExtents {
          var extents: ext2_extent_handle_t?
          let code = ext2fs_extent_open2(handle, inode, plain, &extents)
          if code != 0 { return code }
          ext2fs_extent_free(extents)
        }
        return ext2fs_write_inode_full(handle, inode, plain, Int32(MemoryLayout<ext2_inode_large>.size))
      }
    }
    try check(code, path())
  }

  func write(_ inode: Inode, _ record: inout ext2_inode_large, _ path: @autoclosure () -> String) throws(PreloadError) {
    let code = withUnsafeMutablePointer(to: &record) {
      $0.withMemoryRebound(to: ext2_inode.self, capacity: 1) {
        ext2fs_write_inode_full(handle, inode, $0, Int32(MemoryLayout<ext2_inode_large>.size))
      }
    }
    try check(code, path())
  }

  /// Puts a device's number into its inode, in the form that fits it.
  static func setDevice(_ record: inout ext2_inode_large, major: UInt32, minor: UInt32) {
    if major < 256, minor < 256 {
      record.i_block.0 = major << 8 | minor
    } else {
      record.i_block.1 = minor & 0xFF | major << 8 | (minor & ~0xFF) << 12
    }
  }

  func setXattrs(_ inode: Inode, _ xattrs: [(name: String, value: [UInt8])], _ path: @autoclosure () -> String) throws(PreloadError) {
    guard !xattrs.isEmpty else { return }
    var attributes: OpaquePointer?
    try check(ext2fs_xattrs_open(handle, inode, &attributes), path())
    defer { ext2fs_xattrs_close(&attributes) }
    try check(ext2fs_xattrs_read(attributes), path())
    for (name, value) in xattrs {
      let code = ext2fs_xattr_set(attributes, name, value, value.count)
      guard code == 0 else { throw .write(path: path(), reason: "extended attribute \(name) of \(Counted(value.count, "byte")): \(Self.text(code))") }
    }
  }
}
