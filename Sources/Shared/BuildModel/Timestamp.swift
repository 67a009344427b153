import FoundationEssentials

/// A moment in whole milliseconds since 1970, written as RFC 3339 in UTC (`2026-11-23T20:44:00.000Z`).
package struct Timestamp: Hashable, Sendable, Comparable, CustomStringConvertible {
  package let milliseconds: Int64

  package init(milliseconds: Int64) { self.milliseconds = milliseconds }
  package init(seconds: Double) { milliseconds = Int64(saturating: seconds * 1000) }

  /// Reads RFC 3339 in UTC, with or without fractional seconds; nil for anything else.
  package init?(_ text: String) {
    let style = Date.ISO8601FormatStyle(includingFractionalSeconds: text.contains("."))
    guard text.hasSuffix("Z"), let date = try? style.parse(text) else { return nil }
    self.init(seconds: date.timeIntervalSince1970)
  }

  /// The wall clock.
  package static var now: Timestamp { Timestamp(seconds: Date().timeIntervalSince1970) }

  package var description: String {
    // The style cuts digits off, and most milliseconds are a little less as a binary fraction.
    Date(timeIntervalSince1970: (Double(milliseconds) + 0.5) / 1000).formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
  }
  /// The first or last moment that can be written where the sum is beyond it.
  package func adding(seconds: Double) -> Timestamp { Timestamp(milliseconds: milliseconds.addingSaturated(Int64(saturating: seconds * 1000))) }
  package func seconds(since earlier: Timestamp) -> Double { (Double(milliseconds) - Double(earlier.milliseconds)) / 1000 }
  package static func < (a: Self, b: Self) -> Bool { a.milliseconds < b.milliseconds }
}

extension Timestamp: Codable {
  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let time = Timestamp(text) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "not an RFC 3339 UTC time: \(text.prefix(80))")
    }
    self = time
  }
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
