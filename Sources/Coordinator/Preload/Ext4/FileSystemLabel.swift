/// The label of a file system, read from its first bytes.
enum FileSystemLabel {
  /// The ext2/3/4 or FAT label of what starts at `offset`; nil when there is none.
  static func read(from file: borrowing DiskFile, at offset: Int64, size: Int64) throws(PreloadError) -> String? {
    if let superblock = try Ext4Superblock(readingFrom: file, at: offset, size: size) { return superblock.label }
    guard size >= 512 else { return nil }
    let boot = try file.read(512, at: offset)
    guard boot[510] == 0x55, boot[511] == 0xAA else { return nil }
    // Microsoft FAT specification: FAT32 keeps its label at 71, FAT12 and FAT16 at 43, each followed by the type's name.
    for (label, type) in [(71, 82), (43, 54)] where boot[type..<type + 3].elementsEqual("FAT".utf8) {
      return LabelText.read(boot[label..<label + 11])
    }
    return nil
  }
}
