/// Looks into XML documents whose elements hold text and nothing else, as S3's answers do.
enum XMLReading {
  /// The text of the next element of that name; `text` goes on behind it.
  static func element(_ name: String, in text: inout Substring) -> Substring? {
    guard let start = text.firstRange(of: "<\(name)>"), let end = text[start.upperBound...].firstRange(of: "</\(name)>") else { return nil }
    let content = text[start.upperBound..<end.lowerBound]
    text = text[end.upperBound...]
    return content
  }

  private static let entities: [Substring: String] = ["amp": "&", "lt": "<", "gt": ">", "quot": "\"", "apos": "'"]

  /// Without XML's entities; nil for one that is not known.
  static func decoded(_ text: Substring) -> String? {
    var result = ""
    var rest = text
    while let ampersand = rest.firstIndex(of: "&") {
      result += rest[..<ampersand]
      guard let end = rest[ampersand...].firstIndex(of: ";") else { return nil }
      let name = rest[rest.index(after: ampersand)..<end]
      if let known = entities[name] {
        result += known
      } else if name.hasPrefix("#"), let scalar = number(name.dropFirst()).flatMap({ Unicode.Scalar($0) }) {
        result.unicodeScalars.append(scalar)
      } else {
        return nil
      }
      rest = rest[rest.index(after: end)...]
    }
    return result + rest
  }

  /// As the content of an element.
  static func encoded(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;").replacing("\"", with: "&quot;")
  }

  private static func number(_ text: Substring) -> UInt32? { text.hasPrefix("x") ? UInt32(text.dropFirst(), radix: 16) : UInt32(text) }
}
