/// Text as XML 1.0 may hold it: markup escaped, length bounded, characters that XML forbids made visible.
enum XMLEscaping {
  /// For the inside of an element. `]]>` cannot occur, because every `>` is escaped.
  static func content(_ text: String, limit: Int) -> String { escape(text, limit: limit, isAttribute: false) }

  /// For a value in double quotes; line breaks and tabs are kept as character references, which a parser does not turn into blanks.
  static func attribute(_ text: String, limit: Int) -> String { escape(text, limit: limit, isAttribute: true) }

  /// Takes at most `limit` characters; what is left out is said.
  private static func escape(_ text: String, limit: Int, isAttribute: Bool) -> String {
    var escaped = ""
    var count = 0
    for scalar in text.unicodeScalars {
      guard count < limit else {
        escaped += " … (cut)"
        break
      }
      count += 1
      switch scalar {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"" where isAttribute: escaped += "&quot;"
      case "\t" where isAttribute, "\n" where isAttribute, "\r": escaped += "&#\(scalar.value);"
      case "\t", "\n": escaped.unicodeScalars.append(scalar)
      default: escaped.unicodeScalars.append(allowed(scalar))
      }
    }
    return escaped
  }

  /// The character itself where XML 1.0 (section 2.2, Char) has it, else a stand-in: a control character's picture, or U+FFFD.
  private static func allowed(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
    switch scalar.value {
    case 0..<0x20: Unicode.Scalar(0x2400 + scalar.value) ?? "\u{fffd}"
    case 0x7f: "\u{2421}"
    case 0x80..<0xa0, 0xfffe, 0xffff: "\u{fffd}"
    default: scalar
    }
  }
}
