import FoundationEssentials

/// The fields of a package's `control` file.
package struct ControlFields: Sendable {
  package struct Field: Hashable, Sendable {
    package var key: String
    /// With its continuation lines, each after a line break and with its leading blank.
    package var value: String
  }
  /// In the file's order, no key twice.
  package let fields: [Field]

  package subscript(_ key: String) -> String? { fields.first { $0.key == key }?.value }

  /// Parses one stanza; a second one, a key that is given twice and lines that are none are refused.
  package init(_ bytes: [UInt8], file: String) throws(FeedError) {
    var fields: [Field] = []
    var seen: Set<String> = []
    var isOver = false
    for (place, raw) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
      func wrong(_ reason: String) -> FeedError { .malformed(file: file, reason: "line \(place + 1) \(reason)") }
      var line = raw
      while let last = line.last, last == 32 || last == 9 || last == 13 { line = line.dropLast() }
      if line.isEmpty, !isOver, raw.first == 32, let last = fields.last, IndexField.holdsBlankLines(last.key.utf8) {
        fields[fields.count - 1].value += "\n "
        continue
      }
      if line.isEmpty {
        isOver = isOver || !fields.isEmpty
        continue
      }
      guard !isOver else { throw wrong("begins a second stanza") }
      guard line.allSatisfy({ $0 >= 32 || $0 == 9 }) else { throw wrong("holds control characters") }
      if line.first == 32 || line.first == 9 {
        guard !fields.isEmpty else { throw wrong("continues nothing") }
        fields[fields.count - 1].value += "\n" + String(decoding: line, as: UTF8.self)
        continue
      }
      guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex else {
        throw wrong("is neither 'Key: value' nor a continuation")
      }
      let key = String(decoding: line[..<colon], as: UTF8.self)
      guard key.utf8.allSatisfy({ (33...126).contains($0) }) else { throw wrong("has a key that is none") }
      guard seen.insert(key).inserted else { throw wrong("gives '\(key)' twice") }
      fields.append(Field(key: key, value: String(decoding: line[(colon + 1)...].drop { $0 == 32 || $0 == 9 }, as: UTF8.self)))
    }
    self.fields = fields
  }
}
