/// A piece of a disk image that becomes a file of its own: a partition, or what lies before, between or behind partitions. In bytes.
struct SplitImagePart: Hashable, Sendable {
  let start: Int64
  /// Never 0.
  let size: Int64
  /// The number of the partition; nothing for a gap.
  let partition: Int?

  var range: Range<Int64> { start..<start + size }

  /// All of the disk, in order. Extended partitions are none: their boot records lie in the gaps.
  static func all(of table: PartitionTable, size: Int64) -> [SplitImagePart] {
    var parts: [SplitImagePart] = []
    var end: Int64 = 0
    func gap(to start: Int64) {
      if start > end { parts.append(SplitImagePart(start: end, size: start - end, partition: nil)) }
    }
    for partition in table.partitions {
      gap(to: partition.start)
      parts.append(SplitImagePart(start: partition.start, size: partition.size, partition: partition.number))
      end = partition.end
    }
    gap(to: size)
    return parts
  }
}
