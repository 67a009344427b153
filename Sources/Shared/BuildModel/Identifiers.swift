import FoundationEssentials

/// A request: one `build` for any number of device types. A UUID of version 7, lower case.
package struct RequestID: Hashable, Sendable, Codable, Comparable, CustomStringConvertible {
  package let text: String

  /// nil unless the text is a UUID in its usual form.
  package init?(_ text: String) {
    guard let uuid = UUID(uuidString: text) else { return nil }
    self.text = uuid.uuidString.lowercased()
  }

  /// A new version 7 UUID: 48 bits of milliseconds, then random bits (RFC 9562 section 5.7).
  package init(now: Timestamp) {
    var bytes = (0..<16).map { _ in UInt8.random(in: 0...255) }
    for index in 0..<6 { bytes[index] = UInt8(truncatingIfNeeded: now.milliseconds >> Int64(8 * (5 - index))) }
    bytes[6] = bytes[6] & 0x0f | 0x70
    bytes[8] = bytes[8] & 0x3f | 0x80
    text =
      UUID(
        uuid: (
          bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7],
          bytes[8], bytes[9], bytes[10], bytes[11], bytes[12], bytes[13], bytes[14], bytes[15]
        )
      ).uuidString.lowercased()
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let id = RequestID(text) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a UUID: \(text.prefix(80))")
    }
    self = id
  }
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }

  package var description: String { text }
  package static func < (a: Self, b: Self) -> Bool { a.text < b.text }
}

/// One execution of a task: `<request>.<slug>.<n>`, n from 1, never reused. Safe as a directory name.
package struct AttemptID: Hashable, Sendable, Codable, Comparable, CustomStringConvertible {
  package let request: RequestID
  package let slug: Slug
  package let number: Int

  package init(request: RequestID, slug: Slug, number: Int) {
    self.request = request
    self.slug = slug
    self.number = number
  }

  /// nil unless the text has the three parts.
  package init?(_ text: String) {
    guard let firstDot = text.firstIndex(of: "."), let lastDot = text.lastIndex(of: "."), firstDot < lastDot,
      let request = RequestID(String(text[..<firstDot])),
      let slug = try? Slug(text[text.index(after: firstDot)..<lastDot]),
      let number = Int(text[text.index(after: lastDot)...]), number > 0, String(number) == text[text.index(after: lastDot)...]
    else { return nil }
    self.init(request: request, slug: slug, number: number)
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let id = AttemptID(text) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "not an attempt: \(text.prefix(80))")
    }
    self = id
  }
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }

  package var description: String { "\(request).\(slug).\(number)" }
  package static func < (a: Self, b: Self) -> Bool { a.description < b.description }
}
