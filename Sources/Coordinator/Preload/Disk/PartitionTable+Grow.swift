/// Growing the last partition: the file gets longer, every place that states a size is rewritten.
extension PartitionTable {
  /// The bytes that must follow the last partition (the backup of a GPT).
  var trailer: Int64 {
    switch kind {
    case .mbr: 0
    case .gpt(let header): Int64(header.tableSectors + 1) * sectorSize
    }
  }

  /// Gives `partition` at least `size` bytes and makes the file long enough; never shrinks. Returns the partition as it is then.
  ///
  /// `partition` must be the last one on the disk. The size is rounded up to whole MiB.
  func grow(_ partition: Partition, to size: Int64, in file: borrowing DiskFile) throws(PreloadError) -> Partition {
    guard size > partition.size else { return partition }
    guard partition == partitions.last else {
      throw .partitionTable(
        image: file.path, reason: "partition \(partition.number) must grow but is not the last one on the disk; make it larger in the image recipe")
    }
    let unit: Int64 = 1 << 20
    let end = (partition.start + size + unit - 1) / unit * unit
    let length = try file.size()
    let grown = (end + trailer + unit - 1) / unit * unit
    if grown > length { try file.truncate(to: grown) }
    switch kind {
    case .mbr: try growRecord(of: partition, toEnd: UInt64(end / 512), in: file)
    case .gpt(let header): try growGPT(header, partition: partition, toEnd: UInt64(end / sectorSize), in: file)
    }
    let table = try PartitionTable(readingFrom: file)
    guard let after = table.partitions.last, after.number == partition.number, after.start == partition.start, after.end == end else {
      throw .partitionTable(image: file.path, reason: "partition \(partition.number) does not read back as it was grown")
    }
    return after
  }

  private func growRecord(of partition: Partition, toEnd end: UInt64, in file: borrowing DiskFile) throws(PreloadError) {
    var master = try file.read(512, at: 0)
    let start = UInt64(partition.start / 512)
    switch partition.entry {
    case .primary(let slot):
      try MBRRecord.setCount(end - start, entry: slot, in: &master, base: 0, image: file.path)
    case .logical(let record, let previous, let slot):
      let extendedStart = UInt64(MBRRecord.entries(of: master)[slot].start)
      var own = try file.read(512, at: Int64(record) * 512)
      try MBRRecord.setCount(end - start, entry: 0, in: &own, base: record, image: file.path)
      try file.write(own, at: Int64(record) * 512)
      if let previous {
        // A link counts the record it points to, the gap and the partition.
        var link = try file.read(512, at: Int64(previous) * 512)
        try MBRRecord.setCount(end - record, entry: 1, in: &link, base: extendedStart, image: file.path)
        try file.write(link, at: Int64(previous) * 512)
      }
      try MBRRecord.setCount(end - extendedStart, entry: slot, in: &master, base: 0, image: file.path)
    case .gpt: return
    }
    try file.write(master, at: 0)
  }

  private func growGPT(_ header: GPTHeader, partition: Partition, toEnd end: UInt64, in file: borrowing DiskFile) throws(PreloadError) {
    guard case .gpt(let index) = partition.entry else { return }
    var table = try header.table(of: file)
    table.put(end - 1, at: index * header.entrySize + 40)
    let last = UInt64(try file.size() / sectorSize) - 1
    let backupTable = last - header.tableSectors
    let old = header.alternate
    // Only where it is outside of all partitions as they were: a damaged header may point anywhere.
    if old != last, old > header.tableSectors, Int64(old - header.tableSectors) * sectorSize >= partition.end {
      try file.punch(Int64(old - header.tableSectors) * sectorSize..<Int64(old + 1) * sectorSize)
    }
    func sector(own: UInt64, other: UInt64, entries: UInt64) -> [UInt8] {
      var bytes = header.bytes
      bytes.put(own, at: 24)
      bytes.put(other, at: 32)
      bytes.put(backupTable - 1, at: 48)
      bytes.put(entries, at: 72)
      bytes.put(GPTHeader.crc32(table[...]), at: 88)
      bytes.put(GPTHeader.checksum(ofHeader: bytes, size: header.headerSize), at: 16)
      return bytes
    }
    try file.write(table, at: Int64(backupTable) * sectorSize)
    try file.write(sector(own: last, other: 1, entries: backupTable), at: Int64(last) * sectorSize)
    try file.write(table, at: Int64(header.entriesSector) * sectorSize)
    try file.write(sector(own: 1, other: last, entries: header.entriesSector), at: sectorSize)
    var master = try file.read(512, at: 0)
    for (slot, record) in MBRRecord.entries(of: master).enumerated() where record.type == MBRRecord.protective {
      master.put(UInt32(min(last, UInt64(UInt32.max))), at: 446 + 16 * slot + 12)
    }
    try file.write(master, at: 0)
  }
}
