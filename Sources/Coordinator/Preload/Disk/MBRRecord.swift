/// One 16-byte entry of a master or extended boot record. Sector numbers count 512 bytes; CHS fields are written and never read.
struct MBRRecord: Hashable, Sendable {
  static let protective: UInt8 = 0xEE
  private static let extendedTypes: Set<UInt8> = [0x05, 0x0F, 0x85]
  private static let longestChain = 128

  let type: UInt8
  let start: UInt32
  let count: UInt32

  static func entries(of sector: [UInt8]) -> [MBRRecord] {
    (0..<4).map { slot in
      let at = 446 + 16 * slot
      return MBRRecord(type: sector[at + 4], start: sector.number(UInt32.self, at: at + 8), count: sector.number(UInt32.self, at: at + 12))
    }
  }

  /// The primary and logical partitions; logical ones count from 5, as Linux numbers them.
  static func partitions(of file: borrowing DiskFile, firstSector: [UInt8]) throws(PreloadError) -> [Partition] {
    var found: [Partition] = []
    var extended: (slot: Int, record: MBRRecord)?
    for (slot, record) in entries(of: firstSector).enumerated() where record.type != 0 {
      if extendedTypes.contains(record.type) {
        guard extended == nil else { throw .partitionTable(image: file.path, reason: "has two extended partitions") }
        extended = (slot, record)
        continue
      }
      found.append(
        Partition(number: slot + 1, start: Int64(record.start) * 512, size: Int64(record.count) * 512, entry: .primary(slot: slot)))
    }
    if let extended { found += try logicalPartitions(of: file, slot: extended.slot, extended: extended.record) }
    return found
  }

  private static func logicalPartitions(of file: borrowing DiskFile, slot: Int, extended: MBRRecord) throws(PreloadError) -> [Partition] {
    var found: [Partition] = []
    let base = UInt64(extended.start)
    let end = base + UInt64(extended.count)
    var sector = base
    var previous: UInt64?
    var seen: Set<UInt64> = []
    while true {
      guard seen.insert(sector).inserted, seen.count <= longestChain else {
        throw .partitionTable(image: file.path, reason: "the chain of extended boot records loops at sector \(sector)")
      }
      guard sector >= base, sector < end else {
        throw .partitionTable(image: file.path, reason: "an extended boot record at sector \(sector) lies outside the extended partition")
      }
      let bytes = try file.read(512, at: Int64(sector) * 512)
      guard bytes[510] == 0x55, bytes[511] == 0xAA else {
        throw .partitionTable(image: file.path, reason: "no extended boot record at sector \(sector)")
      }
      let records = entries(of: bytes)
      if records[0].type != 0 {
        let start = sector + UInt64(records[0].start)
        guard start > sector, start + UInt64(records[0].count) <= end else {
          throw .partitionTable(image: file.path, reason: "logical partition \(5 + found.count) leaves the extended partition")
        }
        found.append(
          Partition(
            number: 5 + found.count, start: Int64(start) * 512, size: Int64(records[0].count) * 512,
            entry: .logical(record: sector, previous: previous, slot: slot)))
      }
      guard records[1].type != 0 else { return found }
      previous = sector
      sector = base + UInt64(records[1].start)
    }
  }

  /// Writes a new sector count into entry `slot` of the record in `sector`, with the CHS address of its last sector.
  static func setCount(_ count: UInt64, entry slot: Int, in bytes: inout [UInt8], base: UInt64, image: String) throws(PreloadError) {
    let at = 446 + 16 * slot
    let start = UInt64(bytes.number(UInt32.self, at: at + 8))
    guard count <= UInt64(UInt32.max), start + count <= UInt64(UInt32.max) else {
      throw .partitionTable(image: image, reason: "an MBR cannot describe a disk of more than 2 TiB")
    }
    bytes.put(UInt32(count), at: at + 12)
    let last = base + start + count - 1
    let cylinder = last / (255 * 63)
    if cylinder > 1023 {
      bytes.replaceSubrange(at + 5..<at + 8, with: [254, 0xFF, 0xFF])
    } else {
      let head = UInt8(last / 63 % 255)
      let sector = UInt8(last % 63 + 1)
      bytes.replaceSubrange(at + 5..<at + 8, with: [head, sector | UInt8(cylinder >> 8) << 6, UInt8(cylinder & 0xFF)])
    }
  }
}
