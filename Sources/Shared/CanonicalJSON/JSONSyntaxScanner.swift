/// Finds where a text stops being JSON, because the decoder does not say (RFC 8259).
struct JSONSyntaxScanner {
  private let bytes: [UInt8]
  private let depthLimit: Int
  private var position = 0

  /// Deeper nesting than `depthLimit` counts as wrong.
  init(_ bytes: [UInt8], depthLimit: Int) {
    self.bytes = bytes
    self.depthLimit = depthLimit
  }

  /// The line, from 1, at which the scanner stands.
  var line: Int { bytes[..<min(position, bytes.count)].reduce(1) { $1 == UInt8(ascii: "\n") ? $0 + 1 : $0 } }

  /// What is wrong at ``line``; nil when nothing is.
  mutating func problem() -> String? {
    do {
      try value(depth: 0)
      skipBlanks()
      return position < bytes.count ? found("nothing") : nil
    } catch {
      return error.text
    }
  }

  private struct Problem: Error { var text: String }

  private func found(_ expected: String) -> String {
    guard position < bytes.count else { return "\(expected) expected, the document ends" }
    let byte = bytes[position]
    return "\(expected) expected, found \((33...126).contains(byte) ? "'\(Character(UnicodeScalar(byte)))'" : "byte \(byte)")"
  }

  private mutating func skipBlanks() {
    while position < bytes.count, [32, 9, 10, 13].contains(bytes[position]) { position += 1 }
  }

  private mutating func take(_ character: Character) -> Bool {
    skipBlanks()
    guard position < bytes.count, bytes[position] == character.asciiValue else { return false }
    position += 1
    return true
  }

  private mutating func expect(_ character: Character) throws(Problem) {
    guard take(character) else { throw Problem(text: found("'\(character)'")) }
  }

  private mutating func value(depth: Int) throws(Problem) {
    guard depth < depthLimit else { throw Problem(text: "nested too deeply") }
    if take("{") {
      if take("}") { return }
      repeat {
        try string("a key")
        try expect(":")
        try value(depth: depth + 1)
      } while take(",")
      try expect("}")
    } else if take("[") {
      if take("]") { return }
      repeat { try value(depth: depth + 1) } while take(",")
      try expect("]")
    } else if position < bytes.count, bytes[position] == UInt8(ascii: "\"") {
      try string("a text")
    } else {
      let start = position
      while position < bytes.count, isWord(bytes[position]) { position += 1 }
      let word = String(decoding: bytes[start..<position], as: UTF8.self)
      if ["true", "false", "null"].contains(word) || Self.isNumber(bytes[start..<position]) { return }
      position = start
      throw Problem(text: found("a value"))
    }
  }

  private func isWord(_ byte: UInt8) -> Bool {
    (48...57).contains(byte) || (97...122).contains(byte) || (65...90).contains(byte) || [43, 45, 46].contains(byte)
  }

  /// RFC 8259 section 6: neither `01` nor `1.` nor `+1`.
  private static func isNumber(_ word: ArraySlice<UInt8>) -> Bool {
    var rest = word
    func takeDigits() -> Int {
      let digits = rest.prefix { (48...57).contains($0) }
      rest = rest.dropFirst(digits.count)
      return digits.count
    }
    func take(oneOf bytes: Set<UInt8>) -> Bool {
      guard let first = rest.first, bytes.contains(first) else { return false }
      rest.removeFirst()
      return true
    }
    _ = take(oneOf: [UInt8(ascii: "-")])
    let startsWithZero = rest.first == UInt8(ascii: "0")
    let count = takeDigits()
    guard count == 1 || count > 1 && !startsWithZero else { return false }
    if take(oneOf: [UInt8(ascii: ".")]), takeDigits() == 0 { return false }
    if take(oneOf: [UInt8(ascii: "e"), UInt8(ascii: "E")]) {
      _ = take(oneOf: [UInt8(ascii: "+"), UInt8(ascii: "-")])
      if takeDigits() == 0 { return false }
    }
    return rest.isEmpty
  }

  private mutating func string(_ expected: String) throws(Problem) {
    skipBlanks()
    guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else { throw Problem(text: found(expected)) }
    let start = position
    position += 1
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\""):
        position += 1
        return
      case UInt8(ascii: "\\"): position += 2
      case 0..<32: throw Problem(text: "a text is not closed")
      default: position += 1
      }
    }
    position = start
    throw Problem(text: "a text is not closed")
  }
}
