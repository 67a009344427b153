import CExt2FS

/// A disk image that installs another one: the inner raw image lies as a file in the flasher's root file system.
struct FlasherImage: Sendable {
  static let rootLabel = "flash-rootA"
  private static let directory = "opt"
  private static let suffixes = [".balenaos-img", ".resinos-img", ".img", ".wic", ".raw"]

  private let root: Partition
  private let image: String

  /// nil when the image is not a flasher.
  init?(_ image: borrowing DiskFile) throws(PreloadError) {
    let labels = try PartitionTable(readingFrom: image).labels(in: image)
    guard labels.contains(where: { $0.label.hasPrefix("flash-") }) else { return nil }
    guard let root = labels.first(where: { $0.label == Self.rootLabel }) else {
      throw .flasher(image: image.path, reason: "has no partition labelled \(Self.rootLabel)", candidates: labels.map(\.label))
    }
    self.root = root.partition
    self.image = image.path
  }

  /// Writes the inner image to `output`, sparse, and returns its path inside the flasher. `name` is its file name; without one it must be the only image there.
  func extract(_ name: String?, from source: borrowing DiskFile, to output: borrowing DiskFile) throws(PreloadError) -> String {
    guard let superblock = try Ext4Superblock(readingFrom: source, at: root.start, size: root.size) else {
      throw .flasher(image: image, reason: "\(Self.rootLabel) has no ext4 superblock", candidates: [])
    }
    if let reason = superblock.reasonNotWritable(within: root.size) {
      throw .flasher(image: image, reason: "\(Self.rootLabel) \(reason)", candidates: [])
    }
    guard !superblock.needsRecovery else {
      throw .flasher(image: image, reason: "\(Self.rootLabel) was not unmounted cleanly; build the flasher again", candidates: [])
    }
    let fileSystem = try Ext4FileSystem(image, writable: false, offset: root.start)
    let all = try fileSystem.names(in: Self.directory)
    let chosen = try choose(name, among: all)
    if all.contains(chosen + ".sig") {
      throw .flasher(
        image: image,
        reason: "/\(Self.directory)/\(chosen) is signed for secure boot, and preloading would make its signature invalid; preload before signing",
        candidates: [])
    }
    let path = "\(Self.directory)/\(chosen)"
    guard let inode = try fileSystem.lookup(path) else { throw .flasher(image: image, reason: "/\(path) does not exist", candidates: all) }
    try copy(inode, path, of: fileSystem, from: source, to: output)
    return "/" + path
  }

  private func choose(_ name: String?, among all: [String]) throws(PreloadError) -> String {
    if let name {
      guard all.contains(name) else { throw .flasher(image: image, reason: "/\(Self.directory)/\(name) does not exist", candidates: all) }
      return name
    }
    let images = all.filter { name in Self.suffixes.contains { name.hasSuffix($0) } }
    guard let one = images.first else { throw .flasher(image: image, reason: "has no image in /\(Self.directory)", candidates: all) }
    guard images.count == 1 else { throw .flasher(image: image, reason: "has several images in /\(Self.directory): name one", candidates: images) }
    return one
  }

  private func copy(
    _ inode: Ext4FileSystem.Inode, _ path: String, of fileSystem: Ext4FileSystem, from source: borrowing DiskFile, to output: borrowing DiskFile
  ) throws(PreloadError) {
    var record = try fileSystem.read(inode, path)
    let size = Int64(record.i_size) | Int64(record.i_size_high) << 32
    guard record.i_mode & 0o170000 == 0o100000, record.i_flags & UInt32(EXT4_EXTENTS_FL) != 0, size > 0 else {
      throw .flasher(image: image, reason: "/\(path) is not a regular file with extents", candidates: [])
    }
    var pieces: [(block: Int64, start: Int64, count: Int64)] = []
    try fileSystem.forEachExtent(inode, &record, path) { (block, start, count) throws(PreloadError) in
      pieces.append((Int64(block), Int64(start), Int64(count)))
    }
    let unit = Int64(fileSystem.blockSize)
    try output.truncate(to: size)
    for piece in pieces where piece.block * unit < size {
      let count = min(piece.count * unit, size - piece.block * unit)
      let start = root.start + piece.start * unit
      guard piece.start > 0, piece.block >= 0, start + count <= root.end else {
        throw .flasher(image: image, reason: "/\(path) has blocks outside of its file system", candidates: [])
      }
      try output.copyData(from: source, range: start..<start + count, to: piece.block * unit)
    }
  }
}
