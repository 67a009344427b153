import FoundationEssentials

extension PackageRelation {
  /// The relations of one field, and what in it is none.
  package struct List: Hashable, Sendable {
    package var relations: [PackageRelation] = []
    /// At most ``unreadableLimit`` items that cannot be read, each cut to 100 characters.
    package var unreadable: [String] = []
    static let unreadableLimit = 10
  }

  /// Reads a field's value: items separated by commas, with `allowsAlternatives` each of several names separated by `|`, which are all taken.
  ///
  /// Never fails: an item that cannot be read is no reason to refuse a feed that other packages are taken from.
  package static func list(_ text: some StringProtocol, allowsAlternatives: Bool) -> List {
    var list = List()
    for item in text.utf8.split(separator: UInt8(ascii: ",")) {
      for part in allowsAlternatives ? item.split(separator: UInt8(ascii: "|")) : [item] {
        let bytes = trimmed(Array(part)[...])
        if bytes.isEmpty { continue }
        if let relation = PackageRelation(bytes) {
          list.relations.append(relation)
        } else if list.unreadable.count < List.unreadableLimit {
          list.unreadable.append(String(String(decoding: bytes, as: UTF8.self).prefix(100)))
        }
      }
    }
    return list
  }

  /// `name`, or `name (comparison version)`; blanks are allowed around all of it.
  private init?(_ bytes: ArraySlice<UInt8>) {
    let open = bytes.firstIndex(of: UInt8(ascii: "(")) ?? bytes.endIndex
    let name = Self.trimmed(bytes[..<open])
    guard (1...255).contains(name.count), name.allSatisfy(Self.isOfName) else { return nil }
    self.name = String(decoding: name, as: UTF8.self)
    guard open < bytes.endIndex else {
      constraint = nil
      return
    }
    guard bytes.last == UInt8(ascii: ")") else { return nil }
    var inner = Self.trimmed(bytes[(open + 1)..<(bytes.endIndex - 1)])
    // The longer spellings first.
    let spellings: [(String, Constraint.Comparison)] = [
      ("<<", .earlier), ("<=", .earlierOrEqual), (">=", .laterOrEqual), (">>", .later), ("=", .equal), ("<", .earlierOrEqual), (">", .laterOrEqual),
    ]
    guard let (spelling, comparison) = spellings.first(where: { inner.starts(with: $0.0.utf8) }) else { return nil }
    inner = Self.trimmed(inner.dropFirst(spelling.utf8.count))
    guard !inner.contains(where: { $0 == UInt8(ascii: "(") || $0 == UInt8(ascii: ")") }),
      let version = OpkgVersion(valid: String(decoding: inner, as: UTF8.self))
    else { return nil }
    constraint = Constraint(comparison: comparison, version: version)
  }

  private static func isOfName(_ byte: UInt8) -> Bool { (33...126).contains(byte) && !"()<>=|,".utf8.contains(byte) }

  private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    func isBlank(_ byte: UInt8) -> Bool { byte == 32 || (9...13).contains(byte) }
    var bytes = bytes
    while let first = bytes.first, isBlank(first) { bytes.removeFirst() }
    while let last = bytes.last, isBlank(last) { bytes.removeLast() }
    return bytes
  }
}
