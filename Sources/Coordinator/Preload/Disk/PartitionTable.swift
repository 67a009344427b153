import BuildModel
import FoundationEssentials

/// The partitions of a disk image, read from a table that nothing is believed about: everything lies inside the file, nothing overlaps, no chain loops.
struct PartitionTable: Sendable {
  enum Kind: Hashable, Sendable { case mbr, gpt(GPTHeader) }

  let kind: Kind
  let sectorSize: Int64
  /// Without extended ones, ordered by start.
  let partitions: [Partition]

  init(readingFrom file: borrowing DiskFile) throws(PreloadError) {
    let size = try file.size()
    guard size >= 2 * 512 else { throw .unusableDiskImage(path: file.path, reason: "\(Counted(size, "byte")) are too few for a disk image") }
    let first = try file.read(512, at: 0)
    guard first[510] == 0x55, first[511] == 0xAA else {
      throw .unusableDiskImage(path: file.path, reason: Self.guess(first) ?? "has no partition table")
    }
    let records = MBRRecord.entries(of: first)
    let unordered: [Partition]
    if records.contains(where: { $0.type == MBRRecord.protective }) {
      let header = try GPTHeader(readingFrom: file)
      guard records.allSatisfy({ $0.type == 0 || $0.type == MBRRecord.protective }) else {
        throw .partitionTable(image: file.path, reason: "a hybrid of MBR and GPT, which cannot be kept consistent; use one of them")
      }
      kind = .gpt(header)
      sectorSize = header.sectorSize
      unordered = try header.partitions(of: file)
    } else {
      kind = .mbr
      sectorSize = 512
      unordered = try MBRRecord.partitions(of: file, firstSector: first)
    }
    partitions = unordered.sorted { ($0.start, $0.number) < ($1.start, $1.number) }
    try check(size: size, image: file.path)
  }

  private func check(size: Int64, image: String) throws(PreloadError) {
    for partition in partitions where partition.size <= 0 || partition.start <= 0 || partition.end > size {
      throw .partitionTable(
        image: image, reason: "partition \(partition.number) ends at byte \(partition.end), the file has \(size); the image is truncated or damaged")
    }
    for (one, next) in zip(partitions, partitions.dropFirst()) where next.start < one.end {
      throw .partitionTable(image: image, reason: "partitions \(one.number) and \(next.number) overlap")
    }
  }

  /// What a file without partition table may be.
  private static func guess(_ bytes: [UInt8]) -> String? {
    let kinds: [([UInt8], String)] = [
      ([0x1F, 0x8B], "gzip"), ([0x50, 0x4B, 3, 4], "zip"), ([0xFD, 0x37, 0x7A, 0x58, 0x5A], "xz"), ([0x28, 0xB5, 0x2F, 0xFD], "zstd"),
      ([0x42, 0x5A, 0x68], "bzip2"),
    ]
    return kinds.first { bytes.starts(with: $0.0) }.map { "is compressed (\($0.1)); unpack it first" }
  }
}
