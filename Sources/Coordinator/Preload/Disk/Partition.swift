/// One partition of a disk image, in bytes.
struct Partition: Hashable, Sendable {
  /// Where a partition is written down, for growing it.
  enum Entry: Hashable, Sendable {
    /// MBR slot 0…3.
    case primary(slot: Int)
    /// In the extended boot record at sector `record`; the record before it in the chain links to it. `slot` is the extended partition's own.
    case logical(record: UInt64, previous: UInt64?, slot: Int)
    case gpt(index: Int)
  }
  let number: Int
  let start: Int64
  let size: Int64
  let entry: Entry
  var end: Int64 { start + size }
}
