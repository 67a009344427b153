import CZlib

/// The primary header of a GUID partition table (UEFI specification, chapter 5), checked against both of its checksums.
struct GPTHeader: Hashable, Sendable {
  private static let signature = Array("EFI PART".utf8)
  static let usedBytes = 92

  let sectorSize: Int64
  /// The header's whole sector, as it is.
  var bytes: [UInt8]

  var headerSize: Int { Int(bytes.number(UInt32.self, at: 12)) }
  var alternate: UInt64 { bytes.number(UInt64.self, at: 32) }
  var lastUsable: UInt64 { bytes.number(UInt64.self, at: 48) }
  var entriesSector: UInt64 { bytes.number(UInt64.self, at: 72) }
  var entryCount: Int { Int(bytes.number(UInt32.self, at: 80)) }
  var entrySize: Int { Int(bytes.number(UInt32.self, at: 84)) }
  var tableBytes: Int { entryCount * entrySize }
  var tableSectors: UInt64 { (UInt64(tableBytes) + UInt64(sectorSize) - 1) / UInt64(sectorSize) }

  init(readingFrom file: borrowing DiskFile) throws(PreloadError) {
    let size = try file.size()
    var found: (Int64, [UInt8])?
    for candidate: Int64 in [512, 1024, 2048, 4096] where size >= candidate * 3 {
      let sector = try file.read(Int(candidate), at: candidate)
      if sector.starts(with: Self.signature) {
        found = (candidate, sector)
        break
      }
    }
    guard let found else { throw .partitionTable(image: file.path, reason: "a protective MBR without a GPT header") }
    (sectorSize, bytes) = found
    guard (Self.usedBytes...512).contains(headerSize), (128...4096).contains(entrySize), entrySize % 8 == 0, (1...1024).contains(entryCount) else {
      throw .partitionTable(image: file.path, reason: "the GPT header has impossible sizes")
    }
    guard Self.checksum(ofHeader: bytes, size: headerSize) == bytes.number(UInt32.self, at: 16) else {
      throw .partitionTable(image: file.path, reason: "the GPT header's checksum is wrong")
    }
    let sectors = UInt64(size / sectorSize)
    guard entriesSector >= 2, entriesSector < sectors, entriesSector + tableSectors <= sectors, alternate < sectors, lastUsable < sectors else {
      throw .partitionTable(image: file.path, reason: "the GPT header points beyond the end of the file; the image is truncated or damaged")
    }
  }

  /// All entries as they are on disk; an error when their checksum is wrong.
  func table(of file: borrowing DiskFile) throws(PreloadError) -> [UInt8] {
    let table = try file.read(tableBytes, at: Int64(entriesSector) * sectorSize)
    guard Self.crc32(table[...]) == bytes.number(UInt32.self, at: 88) else {
      throw .partitionTable(image: file.path, reason: "the checksum of the GPT's entries is wrong")
    }
    return table
  }

  func partitions(of file: borrowing DiskFile) throws(PreloadError) -> [Partition] {
    let table = try table(of: file)
    let sectors = UInt64(try file.size() / sectorSize)
    var found: [Partition] = []
    for index in 0..<entryCount {
      let at = index * entrySize
      guard table[at..<at + 16].contains(where: { $0 != 0 }) else { continue }
      let first = table.number(UInt64.self, at: at + 32)
      let last = table.number(UInt64.self, at: at + 40)
      guard first >= 2, first <= last, last < sectors else {
        throw .partitionTable(image: file.path, reason: "partition \(index + 1) lies beyond the end of the file; the image is truncated or damaged")
      }
      found.append(
        Partition(
          number: index + 1, start: Int64(first) * sectorSize, size: Int64(last - first + 1) * sectorSize, entry: .gpt(index: index)))
    }
    return found
  }

  static func checksum(ofHeader bytes: [UInt8], size: Int) -> UInt32 {
    var copy = bytes
    copy.put(UInt32(0), at: 16)
    return crc32(copy[..<size])
  }

  static func crc32(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    UInt32(truncatingIfNeeded: bytes.withUnsafeBufferPointer { CZlib.crc32(0, $0.baseAddress, UInt32($0.count)) })
  }
}
