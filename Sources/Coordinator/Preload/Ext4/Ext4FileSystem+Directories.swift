import CExt2FS

/// A name in a directory.
struct DirectoryEntry {
  /// The type that stands beside a name (kernel documentation, filesystems/ext4, "Directory Entries").
  enum Kind: UInt8 { case file = 1, directory = 2, characterDevice = 3, blockDevice = 4, fifo = 5, symlink = 7 }
  let name: [UInt8]
  let inode: Ext4FileSystem.Inode
  let kind: Kind
}

extension Ext4FileSystem {
  /// Fills a new directory with all of its entries at once; adding them one by one would search it anew for each.
  func fillDirectory(
    _ inode: Inode, _ record: inout ext2_inode_large, parent: Inode, entries: [DirectoryEntry], _ path: @autoclosure () -> String
  ) throws(PreloadError) {
    let hasTail = ext2fs_has_feature_metadata_csum(handle.pointee.super) != 0
    let usable = blockSize - (hasTail ? 12 : 0)
    var blocks: [[UInt8]] = []
    var block: [UInt8] = []
    var lastEntry = 0
    func endBlock() {
      block.put(UInt16(usable - lastEntry), at: lastEntry + 4)
      block += [UInt8](repeating: 0, count: blockSize - block.count)
      blocks.append(block)
      block = []
    }
    let own = [DirectoryEntry(name: [46], inode: inode, kind: .directory), DirectoryEntry(name: [46, 46], inode: parent, kind: .directory)]
    for entry in own + entries {
      let length = (8 + entry.name.count + 3) / 4 * 4
      if block.count + length > usable { endBlock() }
      lastEntry = block.count
      block += [UInt8](repeating: 0, count: length)
      block.put(entry.inode, at: lastEntry)
      block.put(UInt16(length), at: lastEntry + 4)
      block[lastEntry + 6] = UInt8(entry.name.count)
      block[lastEntry + 7] = entry.kind.rawValue
      block.replaceSubrange(lastEntry + 8..<lastEntry + 8 + entry.name.count, with: entry.name)
    }
    endBlock()
    let size = UInt64(blocks.count) * UInt64(blockSize)
    record.i_size = UInt32(truncatingIfNeeded: size)
    record.i_size_high = UInt32(truncatingIfNeeded: size >> 32)
    try allocateBlocks(inode, &record, first: 0, count: UInt64(blocks.count), path())
    let name = path()
    let fileSystem = self
    try forEachExtent(inode, &record, name) { (first, start, count) throws(PreloadError) in
      for index in 0..<count {
        var bytes = blocks[Int(first + index)]
        let code = bytes.withUnsafeMutableBytes { buffer in
          if hasTail, let base = buffer.baseAddress {
            ext2fs_initialize_dirent_tail(fileSystem.handle, (base + usable).assumingMemoryBound(to: ext2_dir_entry_tail.self))
          }
          return ext2fs_write_dir_block4(fileSystem.handle, start + index, buffer.baseAddress, 0, inode)
        }
        try fileSystem.check(code, name)
      }
    }
  }

  /// Adds a name to a directory that was there before.
  func link(_ entry: DirectoryEntry, in directory: Inode, _ path: @autoclosure () -> String) throws(PreloadError) {
    let name = String(decoding: entry.name, as: UTF8.self)
    var code = ext2fs_link(handle, directory, name, entry.inode, Int32(entry.kind.rawValue))
    if code == EXT2_ET_DIR_NO_SPACE {
      try check(ext2fs_expand_dir(handle, directory), path())
      code = ext2fs_link(handle, directory, name, entry.inode, Int32(entry.kind.rawValue))
    }
    try check(code, path())
    guard entry.kind == .directory else { return }
    var record = try read(directory, path())
    // A directory that stopped counting its links stays at 1.
    if record.i_links_count > 1 { record.i_links_count = record.i_links_count >= 64999 ? 1 : record.i_links_count + 1 }
    try write(directory, &record, path())
  }

  /// Takes the file's name away and frees it with its last one.
  func remove(_ path: String) throws(PreloadError) {
    let (directory, name) = Self.split(path)
    guard let parent = try lookup(directory), let inode = try lookup(path) else { return }
    try check(ext2fs_unlink(handle, parent, name, inode, 0), path)
    var record = try read(inode, path)
    if record.i_links_count > 1 {
      record.i_links_count -= 1
      return try write(inode, &record, path)
    }
    let code = withUnsafeMutablePointer(to: &record) {
      $0.withMemoryRebound(to: ext2_inode.self, capacity: 1) { plain in
        plain.pointee.i_links_count = 0
        plain.pointee.i_dtime = plain.pointee.i_mtime == 0 ? 1 : plain.pointee.i_mtime
        return ext2fs_punch(handle, inode, plain, nil, 0, UInt64.max)
      }
    }
    try check(code, path)
    record.i_links_count = 0
    let freed = withUnsafeMutablePointer(to: &record) { ext2fs_free_ext_attr(handle, inode, $0) }
    try check(freed, path)
    try write(inode, &record, path)
    ext2fs_inode_alloc_stats2(handle, inode, -1, 0)
  }

  static func split(_ path: String) -> (directory: String, name: String) {
    guard let slash = path.lastIndex(of: "/") else { return ("", path) }
    return (String(path[..<slash]), String(path[path.index(after: slash)...]))
  }
}
