/// An amount of bytes as people write it: `50 GB`, `1.5 TB`, `512 MiB`. Never negative.
package struct ByteCount: Hashable, Sendable, Comparable, CustomStringConvertible {
  package let bytes: Int64

  /// Units by their size; those of 1000 first, as disks are sold.
  private static let units: [(name: String, bytes: Int64)] = [
    ("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000), ("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20),
    ("KiB", 1 << 10),
  ]

  /// What is below zero counts as nothing.
  package init(bytes: Int64) { self.bytes = max(0, bytes) }

  /// Reads a number, with at most three digits behind a point, and a unit. nil for anything else, and for more than 8 EB.
  package init?(_ text: String) {
    let number = text.prefix { $0.isASCII && $0.isNumber || $0 == "." }
    let name = text.dropFirst(number.count).drop { $0 == " " }
    guard let unit = Self.units.first(where: { $0.name.lowercased() == name.lowercased() })?.bytes else { return nil }
    let parts = number.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count <= 2, let whole = Int64(parts[0]), parts.count == 1 || (1...3).contains(parts[1].count) else { return nil }
    let thousandths = parts.count == 2 ? Int64(parts[1] + String(repeating: "0", count: 3 - parts[1].count)) ?? 0 : 0
    let (full, overflows) = whole.multipliedReportingOverflow(by: unit)
    // A unit is at most 2^40: this product cannot be too large.
    let (sum, overflowsToo) = full.addingReportingOverflow(thousandths * unit / 1000)
    guard !overflows, !overflowsToo else { return nil }
    bytes = sum
  }

  package static func < (a: ByteCount, b: ByteCount) -> Bool { a.bytes < b.bytes }

  /// In the largest unit of 1000 that leaves a whole number, with one digit behind the point where there is one; cut, not rounded.
  package var description: String {
    guard let unit = Self.units.prefix(4).first(where: { bytes >= $0.bytes }) else { return "\(Counted(bytes, "byte"))" }
    let tenths = bytes / (unit.bytes / 10) % 10
    return "\(bytes / unit.bytes)\(tenths == 0 ? "" : ".\(tenths)") \(unit.name)"
  }
}
