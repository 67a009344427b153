/// What Python's `repr()` prints of an exception: a name and its arguments, for example `FetchError('Unable to fetch URL.', 'git://…')`.
struct PythonCall: Hashable, Sendable {
  let name: String
  /// Texts in their order; nil for anything else (None, a number).
  let arguments: [String?]

  /// Reads a call at the beginning of the text. Where the line was cut off, the arguments up to there.
  init?(_ text: some StringProtocol) {
    guard let open = text.firstIndex(of: "("), open != text.startIndex,
      text[..<open].allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" || $0 == "." })
    else { return nil }
    name = String(text[..<open])
    var arguments: [String?] = []
    var rest = Substring(text[text.index(after: open)...])
    while arguments.count < 8, let next = rest.first(where: { $0 != " " && $0 != "," }), next != ")" {
      rest = rest.drop { $0 == " " || $0 == "," }
      if next == "'" || next == "\"" {
        rest.removeFirst()
        arguments.append(Self.text(&rest, until: next))
      } else {
        arguments.append(nil)
        rest = rest.drop { $0 != "," && $0 != ")" }
      }
    }
    self.arguments = arguments
  }

  /// A text's content up to its closing quote, escapes resolved.
  private static func text(_ rest: inout Substring, until quote: Character) -> String {
    var content = ""
    while let character = rest.popFirst(), character != quote {
      guard character == "\\" else {
        content.append(character)
        continue
      }
      switch rest.popFirst() {
      case "n": content.append("\n")
      case "t": content.append(" ")
      case let escaped?: content.append(escaped)
      case nil: break
      }
    }
    return content
  }
}
