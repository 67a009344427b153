/// A FAT12, FAT16 or FAT32 file system, as boot partitions have it; files in its root directory can be read.
///
/// Source: Microsoft FAT32 File System Specification 1.03; long names: its section "FAT Long Directory Entries". Nothing in it is believed.
struct FATFileSystem {
  private enum Width { case twelve, sixteen, thirtyTwo }

  private static let directoryLimit: Int64 = 4 << 20

  private let start: Int64
  private let sectorSize: Int64
  private let clusterSize: Int64
  private let table: Int64
  private let rootDirectory: Int64
  private let rootDirectorySize: Int64
  private let rootCluster: Int64
  private let data: Int64
  private let clusters: Int64
  private let width: Width

  /// nil when no FAT file system begins at `start`.
  init?(readingFrom file: borrowing DiskFile, at start: Int64, size: Int64) throws(PreloadError) {
    guard size >= 512 else { return nil }
    let boot = try file.read(512, at: start)
    guard boot[510] == 0x55, boot[511] == 0xAA, [82, 54].contains(where: { boot[$0..<$0 + 3].elementsEqual("FAT".utf8) }) else { return nil }
    func field(_ offset: Int, _ width: Int) -> Int64 {
      width == 2 ? Int64(boot.number(UInt16.self, at: offset)) : Int64(boot.number(UInt32.self, at: offset))
    }
    sectorSize = field(11, 2)
    let perCluster = Int64(boot[13])
    guard [512, 1024, 2048, 4096].contains(sectorSize), perCluster > 0 else { return nil }
    clusterSize = sectorSize * perCluster
    let tableSectors = field(22, 2) == 0 ? field(36, 4) : field(22, 2)
    rootDirectorySize = field(17, 2) * 32
    let rootSectors = (rootDirectorySize + sectorSize - 1) / sectorSize
    let rootSector = field(14, 2) + Int64(boot[16]) * tableSectors
    let sectors = field(19, 2) == 0 ? field(32, 4) : field(19, 2)
    guard sectors * sectorSize <= size, rootSector + rootSectors < sectors else { return nil }
    self.start = start
    table = start + field(14, 2) * sectorSize
    rootDirectory = start + rootSector * sectorSize
    data = start + (rootSector + rootSectors) * sectorSize
    clusters = (sectors - rootSector - rootSectors) / perCluster
    width = clusters < 4085 ? .twelve : clusters < 65525 ? .sixteen : .thirtyTwo
    rootCluster = width == .thirtyTwo ? field(44, 4) : 0
  }

  /// The file of this name, in whatever case, in the root directory; nil when there is none of at most `limit` bytes.
  func contents(_ name: String, limit: Int64, of file: borrowing DiskFile) throws(PreloadError) -> [UInt8]? {
    let directory =
      width == .thirtyTwo
      ? try chain(from: rootCluster, limit: Self.directoryLimit, of: file) : try file.read(Int(rootDirectorySize), at: rootDirectory)
    guard let entry = Self.entry(name, in: directory) else { return nil }
    let size = Int64(entry.number(UInt32.self, at: 28))
    guard size <= limit else { return nil }
    let first = Int64(entry.number(UInt16.self, at: 26)) | (width == .thirtyTwo ? Int64(entry.number(UInt16.self, at: 20)) << 16 : 0)
    let bytes = try chain(from: first, limit: size, of: file)
    return bytes.count < Int(size) ? nil : Array(bytes.prefix(Int(size)))
  }

  /// The clusters from `first` on, until there are `limit` bytes or the chain ends.
  private func chain(from first: Int64, limit: Int64, of file: borrowing DiskFile) throws(PreloadError) -> [UInt8] {
    var bytes: [UInt8] = []
    var cluster = first
    while bytes.count < Int(limit), (2..<clusters + 2).contains(cluster) {
      bytes += try file.read(Int(clusterSize), at: data + (cluster - 2) * clusterSize)
      cluster = try next(cluster, of: file)
    }
    return bytes
  }

  private func next(_ cluster: Int64, of file: borrowing DiskFile) throws(PreloadError) -> Int64 {
    switch width {
    case .twelve:
      let pair = Int64(try file.read(2, at: table + cluster + cluster / 2).number(UInt16.self, at: 0))
      return cluster % 2 == 0 ? pair & 0xFFF : pair >> 4
    case .sixteen: return Int64(try file.read(2, at: table + cluster * 2).number(UInt16.self, at: 0))
    case .thirtyTwo: return Int64(try file.read(4, at: table + cluster * 4).number(UInt32.self, at: 0) & 0x0FFF_FFFF)
    }
  }

  /// The 32 bytes of the file with this name.
  private static func entry(_ name: String, in directory: [UInt8]) -> [UInt8]? {
    var long: [Int: [UInt16]] = [:]
    for start in stride(from: 0, to: directory.count - 31, by: 32) {
      let entry = Array(directory[start..<start + 32])
      if entry[0] == 0 { return nil }
      if entry[0] == 0xE5 {
        long = [:]
      } else if entry[11] & 0x3F == 0x0F {
        long[Int(entry[0] & 0x1F)] = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30].map { entry.number(UInt16.self, at: $0) }
      } else {
        let units = long.sorted { $0.key < $1.key }.flatMap(\.value).prefix { $0 != 0 }
        let found = units.isEmpty ? short(entry) : String(decoding: units, as: UTF16.self)
        long = [:]
        // Neither a directory nor the volume's label.
        if entry[11] & 0x18 == 0, found.lowercased() == name.lowercased() { return entry }
      }
    }
    return nil
  }

  private static func short(_ entry: [UInt8]) -> String {
    func text(_ range: Range<Int>) -> String { String(decoding: entry[range].prefix { $0 != 32 }, as: UTF8.self) }
    let suffix = text(8..<11)
    return text(0..<8) + (suffix.isEmpty ? "" : ".\(suffix)")
  }
}
