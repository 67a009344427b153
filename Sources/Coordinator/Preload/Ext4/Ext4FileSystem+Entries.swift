import CExt2FS
import OCIImage

/// Making single entries by path, for the image store's own files.
extension Ext4FileSystem {
  /// The directory at `path`; it is made when it is missing, its parent must be there.
  @discardableResult
  func directory(_ path: String, mode: UInt16, time: Int64) throws(PreloadError) -> Inode {
    if let inode = try lookup(path) {
      guard try isDirectory(inode) else { throw .damagedStore(path: path, reason: "is not a directory") }
      return inode
    }
    let (parent, name) = try place(of: path)
    let inode = try allocate(near: parent, format: Self.directoryFormat, path)
    var record = record(format: Self.directoryFormat, LayerTree.Attributes(mode: mode, mtime: time), links: 2, now: time)
    try writeNew(inode, &record, path)
    try fillDirectory(inode, &record, parent: parent, entries: [], path)
    try write(inode, &record, path)
    try link(DirectoryEntry(name: Array(name.utf8), inode: inode, kind: .directory), in: parent, path)
    return inode
  }

  /// Makes the file at `path`, or puts a new one in its place.
  func file(_ path: String, _ bytes: [UInt8], mode: UInt16, time: Int64) throws(PreloadError) {
    if try lookup(path) != nil { try remove(path) }
    let (parent, name) = try place(of: path)
    let inode = try allocate(near: parent, format: Self.fileFormat, path)
    var record = record(format: Self.fileFormat, LayerTree.Attributes(mode: mode, mtime: time), links: 1, now: time)
    record.i_size = UInt32(truncatingIfNeeded: bytes.count)
    record.i_size_high = UInt32(truncatingIfNeeded: bytes.count >> 32)
    try writeNew(inode, &record, path)
    try fill(inode, &record, with: bytes, path)
    try write(inode, &record, path)
    try link(DirectoryEntry(name: Array(name.utf8), inode: inode, kind: .file), in: parent, path)
  }

  func symlink(_ path: String, to target: String, time: Int64) throws(PreloadError) {
    let (parent, name) = try place(of: path)
    let inode = try newSymlink(near: parent, Array(target.utf8), LayerTree.Attributes(mode: 0o777, mtime: time), links: 1, now: time, path)
    try link(DirectoryEntry(name: Array(name.utf8), inode: inode, kind: .symlink), in: parent, path)
  }

  /// A new symbolic link without a name; targets of up to 59 bytes stand in the inode itself, longer ones in a block.
  func newSymlink(
    near directory: Inode, _ target: [UInt8], _ attributes: LayerTree.Attributes, links: Int, now: Int64, _ path: @autoclosure () -> String
  ) throws(PreloadError) -> Inode {
    let inode = try allocate(near: directory, format: Self.symlinkFormat, path())
    var attributes = attributes
    // A symbolic link's own permissions mean nothing, and Linux shows these.
    attributes.mode = 0o777
    var record = record(format: Self.symlinkFormat, attributes, links: links, now: now)
    record.i_size = UInt32(target.count)
    if target.count < MemoryLayout.size(ofValue: record.i_block) {
      withUnsafeMutableBytes(of: &record.i_block) { $0.copyBytes(from: target) }
      try writeNew(inode, &record, path())
    } else {
      record.i_flags = UInt32(EXT4_EXTENTS_FL)
      try writeNew(inode, &record, path())
      try fill(inode, &record, with: target, path())
      try write(inode, &record, path())
    }
    return inode
  }

  private func place(of path: String) throws(PreloadError) -> (Inode, String) {
    let (directory, name) = Self.split(path)
    guard let parent = try lookup(directory), try isDirectory(parent) else {
      throw .damagedStore(path: directory, reason: "is not a directory")
    }
    return (parent, name)
  }
}
