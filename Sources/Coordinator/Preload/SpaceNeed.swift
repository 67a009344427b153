/// How much room layers take in an ext4 file system, and how large it has to be for them.
struct SpaceNeed: Sendable {
  private(set) var blocks: Int64 = 0
  private(set) var inodes: Int64 = 0
  private let blockSize: Int64

  init(blockSize: Int64) { self.blockSize = blockSize }

  /// A layer's tree and its records, written once.
  mutating func add(_ layer: UnpackedLayer) {
    let unit = SpooledRun.blockSize / blockSize
    var directoryBytes = [Int64](repeating: 0, count: layer.tree.nodes.count)
    for node in layer.tree.nodes {
      directoryBytes[node.parent] += Int64(8 + node.name.count + 3)
      // Attributes may not fit into the inode; each set of them takes a block at most.
      if !node.xattrs.isEmpty { blocks += 1 }
      switch node.kind {
      case .file:
        let runs = layer.runs(of: node)
        inodes += 1
        blocks += runs.reduce(0) { $0 + $1.count * unit } + Int64(runs.count > 4 ? runs.count / 300 + 2 : 0)
      case .symlink(let target):
        inodes += 1
        if target.count >= 60 { blocks += rounded(Int64(target.count)) }
      case .directory: inodes += 1
      case .characterDevice, .blockDevice, .fifo: inodes += 1
      case .hardlink: break
      }
    }
    for (index, node) in layer.tree.nodes.enumerated() where node.kind == .directory {
      // Entries do not cross blocks: the end of each one is lost.
      blocks += rounded(directoryBytes[index] * 8 / 7 + 64)
    }
    blocks += rounded(Int64(layer.tarSplit.count)) + 16 * max(unit, 1)
    inodes += 12
  }

  mutating func add(file bytes: Int) {
    blocks += rounded(Int64(bytes))
    inodes += 1
  }

  private func rounded(_ bytes: Int64) -> Int64 { (bytes + blockSize - 1) / blockSize }

  /// What is kept beyond the estimate: directories that grow, extents that split.
  private var margin: Int64 { (blocks / 50) + (4 << 20) / blockSize }

  /// The size in bytes that the file system must have; its own size when there is room enough.
  func size(for superblock: Ext4Superblock) -> Int64 {
    let missingBlocks = max(0, blocks + margin - Int64(superblock.freeBlocks))
    let missingInodes = max(0, inodes + 64 - Int64(superblock.freeInodes))
    guard missingBlocks > 0 || missingInodes > 0 else { return superblock.bytes }
    let perGroup = Int64(superblock.blocksPerGroup)
    let inodesPerGroup = Int64(superblock.inodesPerGroup)
    // Inode table, two bitmaps, and copies of superblock and descriptors as in the first group.
    let overhead = inodesPerGroup * Int64(superblock.inodeSize) / blockSize + 2 + 64
    let usable = max(perGroup - overhead, perGroup / 8)
    let forBlocks = missingBlocks + (missingBlocks / usable + 2) * overhead
    let forInodes = missingInodes == 0 ? 0 : (missingInodes / inodesPerGroup + 2) * perGroup
    return superblock.bytes + max(forBlocks, forInodes) * blockSize
  }

  /// Whether the free space of `superblock` is enough.
  func fits(_ superblock: Ext4Superblock) -> Bool {
    Int64(superblock.freeBlocks) >= blocks + margin && Int64(superblock.freeInodes) >= inodes + 64
  }
}
