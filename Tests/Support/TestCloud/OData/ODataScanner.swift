import FoundationEssentials

/// Reads raw URL text byte by byte. Punctuation must be literal; only `$`, `'` and the blank have a percent form of their own.
struct ODataScanner {
  let bytes: [UInt8]
  var position = 0

  init(_ text: some StringProtocol) { bytes = Array(text.utf8) }

  var isAtEnd: Bool { position == bytes.count }
  var current: UInt8? { position < bytes.count ? bytes[position] : nil }

  func error(_ expected: String) -> ODataSyntaxError { ODataSyntaxError(offset: position, expected: expected) }

  func starts(with text: StaticString) -> Bool {
    let count = text.utf8CodeUnitCount
    guard position + count <= bytes.count else { return false }
    return text.withUTF8Buffer { buffer in zip(buffer, bytes[position...]).allSatisfy { $0 == $1 } }
  }

  mutating func take(_ text: StaticString) -> Bool {
    guard starts(with: text) else { return false }
    position += text.utf8CodeUnitCount
    return true
  }

  mutating func expect(_ text: StaticString) throws(ODataSyntaxError) {
    guard take(text) else { throw error("'\(text)'") }
  }

  mutating func takeDollar() -> Bool { take("$") || take("%24") }
  mutating func takeQuote() -> Bool { take("'") || take("%27") }
  private mutating func takeSpace() -> Bool { take(" ") || take("%20") || take("+") }

  mutating func skipSpaces() { while takeSpace() {} }

  /// Blanks, or an opening bracket ahead: what has to follow a word.
  mutating func takeBoundary() -> Bool {
    if current == UInt8(ascii: "(") { return true }
    guard takeSpace() else { return false }
    skipSpaces()
    return true
  }

  /// A word operator with the boundary it needs; nothing is taken if it is another word.
  mutating func takeWord(_ word: String) -> Bool {
    let start = position
    for byte in word.utf8 {
      guard current == byte else {
        position = start
        return false
      }
      position += 1
    }
    guard takeBoundary() else {
      position = start
      return false
    }
    return true
  }

  /// The name of a resource, field, variable or function; empty when there is none.
  mutating func takeName() -> String {
    let start = position
    while let byte = current, byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-") || byte.isLetterOrDigit { position += 1 }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  mutating func expectName() throws(ODataSyntaxError) -> String {
    let name = takeName()
    guard !name.isEmpty else { throw error("a name") }
    return name
  }

  /// The text between quotes; a doubled quote stands for one, the rest is percent-decoded once, and `+` stays.
  mutating func expectQuoted() throws(ODataSyntaxError) -> String {
    guard takeQuote() else { throw error("a quoted text") }
    var text: [UInt8] = []
    while true {
      if takeQuote() {
        guard takeQuote() else { break }
        text.append(UInt8(ascii: "'"))
      } else if let byte = current {
        text.append(byte)
        position += 1
      } else {
        throw error("a closing quote")
      }
    }
    guard let decoded = String(decoding: text, as: UTF8.self).removingPercentEncoding else { throw error("a percent-encoded text") }
    return decoded
  }

  /// A whole number without sign.
  mutating func takeDigits() -> String {
    let start = position
    while let byte = current, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  mutating func takeNumber() throws(ODataSyntaxError) -> JSONValue? {
    let start = position
    var sign = ""
    if take("-") { sign = "-" } else if take("+") || take("%2B") {}
    let whole = takeDigits()
    guard !whole.isEmpty else {
      position = start
      return nil
    }
    if current == UInt8(ascii: "."), position + 1 < bytes.count, bytes[position + 1].isLetterOrDigit {
      position += 1
      guard let value = Double(sign + whole + "." + takeDigits()) else { throw error("a number") }
      return .number(value)
    }
    guard let value = Int(sign + whole) else { throw error("a number of at most 64 bits") }
    return .integer(value)
  }

  /// What goes until one of the URI's reserved characters, percent-decoded.
  mutating func takeText() throws(ODataSyntaxError) -> String {
    let start = position
    while let byte = current, !":/?#[]@!$*&()+,;=".utf8.contains(byte) { position += 1 }
    guard let text = String(decoding: bytes[start..<position], as: UTF8.self).removingPercentEncoding else { throw error("a percent-encoded text") }
    return text
  }
}

extension UInt8 {
  var isLetterOrDigit: Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self)
      || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self)
  }
}
