/// Lines of a console as people may read them.
enum ConsoleText {
  /// Characters of a line that are read. Fetchers put whole environments before what matters.
  private static let limit = 16384

  /// The line without control characters and escape sequences; a tab becomes a blank. Of what carriage returns overwrite on a terminal (progress
  /// bars), the last is kept.
  static func clean(_ line: String) -> String {
    // 0xc2 begins the control characters beyond ASCII.
    let isPlain = line.utf8.allSatisfy { $0 >= 32 && $0 != 127 && $0 != 0xc2 }
    if isPlain { return line.utf8.count <= limit ? line : String(line.prefix(limit)) }
    let parts = line.unicodeScalars.split(separator: "\r")
    var kept = String.UnicodeScalarView()
    var rest = parts.last { !$0.allSatisfy(\.properties.isWhitespace) } ?? Substring("").unicodeScalars
    while let scalar = rest.popFirst() {
      switch scalar.value {
      case 0x1b: skipSequence(&rest)
      case 9: kept.append(" ")
      case ..<32, 127..<160: continue
      default: kept.append(scalar)
      }
    }
    return String(String(kept).prefix(limit))
  }

  /// What follows ESC: `[`, parameters and a final byte between `@` and `~` (ECMA-48), or one character.
  private static func skipSequence(_ rest: inout Substring.UnicodeScalarView) {
    guard rest.popFirst() == "[" else { return }
    while let next = rest.popFirst(), !(0x40...0x7e).contains(next.value) {}
  }

  /// Joins lines to one of at most `limit` characters.
  static func joined(_ lines: [some StringProtocol], limit: Int = 400) -> String {
    let text = lines.map { $0.split(separator: " ").joined(separator: " ") }.filter { !$0.isEmpty }.joined(separator: " ")
    return shortened(text, limit: limit)
  }

  /// The text without its middle where it is long: commands and their environments are, and what became of them is at their end.
  static func withoutMiddle(_ text: String) -> String {
    text.count <= 3000 ? text : "\(text.prefix(1000)) … \(text.suffix(1900))"
  }

  /// The text, cut with a mark where it is longer.
  static func shortened(_ text: String, limit: Int = 400) -> String {
    text.count <= limit ? text : String(text.prefix(limit - 1)) + "…"
  }
}
