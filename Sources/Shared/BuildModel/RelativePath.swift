import FoundationEssentials

/// A path below some root that cannot leave it: no leading `/`, no empty, `.` or `..` component, no NUL, newline or other control byte, at most 1024 bytes.
package struct RelativePath: Hashable, Sendable, Comparable, CustomStringConvertible {
  package let text: String

  /// nil when the text could point outside its root or hides something.
  package init?(_ text: some StringProtocol) {
    let bytes = text.utf8
    guard !bytes.isEmpty, bytes.count <= 1024, bytes.allSatisfy({ $0 >= 32 && $0 != 127 }) else { return nil }
    // Bytes, not characters: an index has hundreds of thousands of paths.
    var length = 0, isOfDots = true
    for byte in bytes {
      if byte == UInt8(ascii: "/") {
        if isOfDots, length <= 2 { return nil }
        (length, isOfDots) = (0, true)
      } else {
        length += 1
        isOfDots = isOfDots && byte == UInt8(ascii: ".")
      }
    }
    if isOfDots, length <= 2 { return nil }
    self.text = String(text)
  }

  package var description: String { text }
  /// The last component.
  package var lastComponent: String { text.split(separator: "/").last.map(String.init) ?? text }
  package static func < (a: Self, b: Self) -> Bool { a.text < b.text }
}

extension RelativePath: Codable {
  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let path = RelativePath(text) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a safe relative path: \(text.prefix(200))")
    }
    self = path
  }
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }
}
