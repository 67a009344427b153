import CExt2FS

/// Giving blocks to inodes and filling them.
extension Ext4FileSystem {
  /// Allocates `count` blocks from the file's block `first` on, as few extents as the free space allows.
  func allocateBlocks(_ inode: Inode, _ record: inout ext2_inode_large, first: UInt64, count: UInt64, _ path: @autoclosure () -> String)
    throws(PreloadError)
  {
    let flags = EXT2_FALLOCATE_FORCE_INIT | EXT2_FALLOCATE_INIT_BEYOND_EOF
    let code = withUnsafeMutablePointer(to: &record) {
      $0.withMemoryRebound(to: ext2_inode.self, capacity: 1) {
        ext2fs_fallocate(handle, flags, inode, $0, ext2fs_find_inode_goal(handle, inode, $0, first), first, count)
      }
    }
    try check(code, path())
  }

  /// Calls `body` with each stretch of the file's blocks that lies together on the disk: first block of the file, first on the disk, count.
  func forEachExtent(
    _ inode: Inode, _ record: inout ext2_inode_large, _ path: @autoclosure () -> String,
    _ body: (UInt64, UInt64, UInt64) throws(PreloadError) -> Void
  ) throws(PreloadError) {
    var extents: ext2_extent_handle_t?
    let opened = withUnsafeMutablePointer(to: &record) {
      $0.withMemoryRebound(to: ext2_inode.self, capacity: 1) { ext2fs_extent_open2(handle, inode, $0, &extents) }
    }
    try check(opened, path())
    defer { ext2fs_extent_free(extents) }
    var extent = ext2fs_extent()
    var step = EXT2_EXTENT_ROOT
    while true {
      let code = ext2fs_extent_get(extents, step, &extent)
      if code == EXT2_ET_EXTENT_NO_NEXT || code == EXT2_ET_NO_CURRENT_NODE || code == EXT2_ET_EXTENT_NOT_FOUND { return }
      try check(code, path())
      step = EXT2_EXTENT_NEXT_LEAF
      let isLeaf = extent.e_flags & UInt32(EXT2_EXTENT_FLAGS_LEAF) != 0
      let isWritten = extent.e_flags & UInt32(EXT2_EXTENT_FLAGS_UNINIT) == 0
      if isLeaf, isWritten { try body(extent.e_lblk, extent.e_pblk, UInt64(extent.e_len)) }
    }
  }

  /// Writes `count` whole blocks to the disk's block `block` on.
  func writeBlocks(_ block: UInt64, _ count: UInt64, from bytes: UnsafeRawPointer, _ path: @autoclosure () -> String) throws(PreloadError) {
    var done: UInt64 = 0
    while done < count {
      let part = min(count - done, 1 << 16)
      try check(io_channel_write_blk64(handle.pointee.io, block + done, Int32(part), bytes + Int(done) * blockSize), path())
      done += part
    }
  }

  /// Fills a new file with `bytes`.
  func fill(_ inode: Inode, _ record: inout ext2_inode_large, with bytes: [UInt8], _ path: @autoclosure () -> String) throws(PreloadError) {
    guard !bytes.isEmpty else { return }
    let count = (bytes.count + blockSize - 1) / blockSize
    var padded = bytes
    padded += [UInt8](repeating: 0, count: count * blockSize - bytes.count)
    try allocateBlocks(inode, &record, first: 0, count: UInt64(count), path())
    let size = blockSize
    let fileSystem = self
    let name = path()
    try padded.withUnsafeBufferPointer { (buffer) throws(PreloadError) in
      guard let base = UnsafeRawPointer(buffer.baseAddress) else { return }
      try fileSystem.forEachExtent(inode, &record, name) { (first, block, count) throws(PreloadError) in
        try fileSystem.writeBlocks(block, count, from: base + Int(first) * size, name)
      }
    }
  }

  /// Fills a new file with runs of blocks of `source`, which holds the spool.
  func fill(
    _ inode: Inode, _ record: inout ext2_inode_large, runs: [SpooledRun], of source: UnsafeRawBufferPointer, _ path: String
  ) throws(PreloadError) {
    guard let base = source.baseAddress else { return }
    let unit = SpooledRun.blockSize / Int64(blockSize)
    let last = (Int64(record.i_size) | Int64(record.i_size_high) << 32) + Int64(blockSize) - 1
    let blocks = last / Int64(blockSize)
    for run in runs {
      // With blocks smaller than a run's unit the file may end inside of it.
      let end = min((run.block + run.count) * unit, blocks)
      try allocateBlocks(inode, &record, first: UInt64(run.block * unit), count: UInt64(end - run.block * unit), path)
    }
    var index = 0
    let size = Int64(blockSize)
    let fileSystem = self
    try forEachExtent(inode, &record, path) { (first, block, count) throws(PreloadError) in
      var first = Int64(first)
      var block = block
      var rest = Int64(count)
      while rest > 0 {
        while index < runs.count, (runs[index].block + runs[index].count) * unit <= first { index += 1 }
        guard index < runs.count, runs[index].block * unit <= first else { throw .write(path: path, reason: "its blocks do not match its content") }
        let part = min(rest, (runs[index].block + runs[index].count) * unit - first)
        let offset = runs[index].offset + (first - runs[index].block * unit) * size
        try fileSystem.writeBlocks(block, UInt64(part), from: base + Int(offset), path)
        first += part
        block += UInt64(part)
        rest -= part
      }
    }
  }
}
