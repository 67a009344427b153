import BuildModel

/// What the superblock of an ext file system says (kernel documentation, filesystems/ext4/super).
struct Ext4Superblock: Hashable, Sendable {
  let label: String?
  let blockSize: Int64
  let blocks: UInt64
  let freeBlocks: UInt64
  let freeInodes: UInt64
  let blocksPerGroup: UInt64
  let inodesPerGroup: UInt64
  let inodeSize: Int
  let hasErrors: Bool
  let compatible: UInt32
  let incompatible: UInt32
  let readOnlyCompatible: UInt32

  var bytes: Int64 { Int64(blocks) * blockSize }
  var needsRecovery: Bool { incompatible & Self.recover != 0 }

  private static let recover: UInt32 = 0x4
  /// filetype, extents, 64bit, flex_bg, meta_bg, csum_seed, large_dir.
  private static let knownIncompatible: UInt32 = 0x2 | 0x40 | 0x80 | 0x200 | 0x10 | 0x2000 | 0x4000
  private static let neededIncompatible: UInt32 = 0x2 | 0x40
  /// sparse_super, large_file, huge_file, gdt_csum, dir_nlink, extra_isize, metadata_csum.
  private static let knownReadOnlyCompatible: UInt32 = 0x1 | 0x2 | 0x8 | 0x10 | 0x20 | 0x40 | 0x400

  /// nil when there is no ext superblock at `offset` + 1024.
  init?(readingFrom file: borrowing DiskFile, at offset: Int64 = 0, size: Int64) throws(PreloadError) {
    guard size >= 2048 else { return nil }
    let bytes = try file.read(1024, at: offset + 1024)
    guard bytes.number(UInt16.self, at: 0x38) == 0xEF53 else { return nil }
    let shift = bytes.number(UInt32.self, at: 0x18)
    guard shift <= 6 else { return nil }
    blockSize = 1024 << Int64(shift)
    incompatible = bytes.number(UInt32.self, at: 0x60)
    let wide = incompatible & 0x80 != 0
    func count(_ low: Int, _ high: Int) -> UInt64 {
      UInt64(bytes.number(UInt32.self, at: low)) | (wide ? UInt64(bytes.number(UInt32.self, at: high)) << 32 : 0)
    }
    blocks = count(4, 0x150)
    freeBlocks = count(0xC, 0x158)
    freeInodes = UInt64(bytes.number(UInt32.self, at: 0x10))
    blocksPerGroup = UInt64(bytes.number(UInt32.self, at: 0x20))
    inodesPerGroup = UInt64(bytes.number(UInt32.self, at: 0x28))
    inodeSize = bytes.number(UInt32.self, at: 0x4C) == 0 ? 128 : Int(bytes.number(UInt16.self, at: 0x58))
    hasErrors = bytes.number(UInt16.self, at: 0x3A) & 2 != 0
    compatible = bytes.number(UInt32.self, at: 0x5C)
    readOnlyCompatible = bytes.number(UInt32.self, at: 0x64)
    label = LabelText.read(bytes[0x78..<0x88])
  }

  /// Why this file system cannot be written to with confidence; nil when it can.
  func reasonNotWritable(within size: Int64) -> String? {
    let unknown = incompatible & ~(Self.knownIncompatible | Self.recover)
    let unknownReadOnly = readOnlyCompatible & ~Self.knownReadOnlyCompatible
    if unknown != 0 { return "has incompatible features 0x\(String(unknown, radix: 16)) that blockfarm does not know how to write" }
    if unknownReadOnly != 0 { return "has features 0x\(String(unknownReadOnly, radix: 16)) that blockfarm does not know how to write" }
    if incompatible & Self.neededIncompatible != Self.neededIncompatible { return "is not ext4 with extents; make it with mkfs.ext4" }
    if inodeSize < 160 { return "has inodes of \(Counted(inodeSize, "byte")), too small for times after 2038; make it with mkfs.ext4 -I 256" }
    if blockSize > 4096 { return "has blocks of \(Counted(blockSize, "byte")); 4096 is the most that devices can mount" }
    if blocksPerGroup == 0 || inodesPerGroup == 0 || blocks == 0 { return "has a damaged superblock" }
    if Int64(clamping: blocks) > size / blockSize {
      return "is larger (\(blocks) blocks of \(blockSize)) than its partition (\(Counted(size, "byte"))); the image is truncated"
    }
    return nil
  }
}
