/// The records of a pax extended header (POSIX, pax): `<length> <key>=<value>\n`, where a value may hold any bytes.
struct PaxRecords {
  private(set) var values: [String: [UInt8]] = [:]

  private static let xattrPrefix = "SCHILY.xattr."

  init() {}

  /// `bytes` may end in zeros: some writers count the padding.
  init(_ bytes: [UInt8]) throws(TarFault) {
    let damaged = TarFault("an extended header is damaged")
    var rest = bytes[...]
    while let first = rest.first, first != 0 {
      guard let space = rest.prefix(12).firstIndex(of: 32), let length = Int(String(decoding: rest[..<space], as: UTF8.self)),
        length > space - rest.startIndex + 2, length <= rest.count
      else { throw damaged }
      let record = rest[(space + 1)..<(rest.startIndex + length)]
      guard record.last == 10, let equals = record.firstIndex(of: 61), equals > record.startIndex,
        let key = String(validating: record[..<equals], as: UTF8.self), !key.utf8.contains(0)
      else { throw damaged }
      guard !key.hasPrefix("GNU.sparse") else { throw TarFault("it has a GNU sparse file; pack it as a plain file") }
      values[key] = Array(record[(equals + 1)..<(record.endIndex - 1)])
      rest = rest[(rest.startIndex + length)...]
    }
  }

  /// A value; an empty one means that the header's own field counts (Go's reader, which is the one of container engines).
  subscript(_ key: String) -> [UInt8]? { values[key].flatMap { $0.isEmpty ? nil : $0 } }

  /// `SCHILY.xattr.*` without its prefix.
  var xattrs: [String: [UInt8]] {
    var found: [String: [UInt8]] = [:]
    for (key, value) in values where key.hasPrefix(Self.xattrPrefix) { found[String(key.dropFirst(Self.xattrPrefix.count))] = value }
    return found
  }

  /// The first key, by name, whose meaning this reader would apply to an entry.
  var firstApplied: String? {
    let plain: Set = ["path", "linkpath", "size", "uid", "gid", "mtime"]
    return values.keys.filter { plain.contains($0) || $0.hasPrefix(Self.xattrPrefix) }.min()
  }

  func integer(_ key: String) throws(TarFault) -> Int64? {
    guard let bytes = self[key] else { return nil }
    guard let value = Int64(String(decoding: bytes, as: UTF8.self)) else { throw TarFault("the extended header '\(key)' is not a number") }
    return value
  }

  /// Seconds and nanoseconds, rounded down.
  func time(_ key: String) throws(TarFault) -> (seconds: Int64, nanoseconds: UInt32)? {
    guard let bytes = self[key] else { return nil }
    let text = String(decoding: bytes, as: UTF8.self)
    let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    let digits = parts.count > 1 ? parts[1] : ""
    guard let seconds = Int64(parts[0]), digits.utf8.allSatisfy({ (48...57).contains($0) }) else {
      throw TarFault("the extended header '\(key)' is not a time")
    }
    let nanoseconds = UInt32(String((digits + "000000000").prefix(9))) ?? 0
    guard parts[0].hasPrefix("-"), nanoseconds > 0 else { return (seconds, nanoseconds) }
    let (before, overflow) = seconds.subtractingReportingOverflow(1)
    guard !overflow else { throw TarFault("the extended header '\(key)' is not a time") }
    return (before, 1_000_000_000 - nanoseconds)
  }
}
