/// The records of a PAX extended header (POSIX, pax): `<length> <key>=<value>\n`, where a value may hold any bytes.
struct PaxRecords {
  private(set) var values: [String: [UInt8]] = [:]
  /// `SCHILY.xattr.*` without its prefix, in the order of names.
  var xattrs: [(name: String, value: [UInt8])] {
    values.filter { $0.key.hasPrefix(Self.xattrPrefix) }.sorted { $0.key < $1.key }.map {
      (String($0.key.dropFirst(Self.xattrPrefix.count)), $0.value)
    }
  }

  private static let xattrPrefix = "SCHILY.xattr."

  init() {}

  init(_ bytes: [UInt8]) throws(LayerFault) {
    var rest = bytes[...]
    while let first = rest.first, first != 0 {
      guard let space = rest.prefix(12).firstIndex(of: 32), let length = Int(String(decoding: rest[..<space], as: UTF8.self)),
        length > space - rest.startIndex + 2, length <= rest.count
      else { throw LayerFault("has a damaged PAX header") }
      let record = rest[(space + 1)..<(rest.startIndex + length)]
      guard record.last == 10, let equals = record.firstIndex(of: 61), equals > record.startIndex,
        let key = String(validating: record[..<equals], as: UTF8.self), !key.utf8.contains(0)
      else { throw LayerFault("has a damaged PAX header") }
      guard !key.hasPrefix("GNU.sparse") else { throw LayerFault("has a GNU sparse file; pack it as a plain file") }
      values[key] = Array(record[(equals + 1)..<(record.endIndex - 1)])
      rest = rest[(rest.startIndex + length)...]
    }
  }

  func integer(_ key: String) throws(LayerFault) -> Int64? {
    guard let bytes = values[key], !bytes.isEmpty else { return nil }
    guard let value = Int64(String(decoding: bytes, as: UTF8.self)) else { throw LayerFault("has a PAX record '\(key)' that is not a number") }
    return value
  }

  /// Seconds and nanoseconds, rounded down.
  func time(_ key: String) throws(LayerFault) -> (seconds: Int64, nanoseconds: UInt32)? {
    guard let bytes = values[key], !bytes.isEmpty else { return nil }
    let text = String(decoding: bytes, as: UTF8.self)
    let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    let digits = parts.count > 1 ? parts[1] : ""
    guard let seconds = Int64(parts[0]), digits.utf8.allSatisfy({ (48...57).contains($0) }) else {
      throw LayerFault("has a PAX record '\(key)' that is not a time")
    }
    let nanoseconds = UInt32(String((digits + "000000000").prefix(9))) ?? 0
    guard parts[0].hasPrefix("-"), nanoseconds > 0 else { return (seconds, nanoseconds) }
    return (seconds - 1, 1_000_000_000 - nanoseconds)
  }
}
