import FoundationEssentials

/// A point in time in milliseconds, written as the server writes it: `2026-01-02T03:04:05.678Z`. The texts order as the times do.
package struct CloudDate: Hashable, Sendable, Comparable {
  /// Since 1970.
  package let milliseconds: Int

  package init(milliseconds: Int) { self.milliseconds = milliseconds }
  package init(_ date: Date) { milliseconds = Int((date.timeIntervalSince1970 * 1000).rounded()) }

  /// nil for what is no ISO 8601 date of the years 1970 to 9999.
  package init?(text: String) {
    let fractional = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
    guard let date = (try? fractional.parse(text)) ?? (try? Date.ISO8601FormatStyle().parse(text)) ?? Self.dateOnly(text) else { return nil }
    let value = CloudDate(date)
    guard (0..<253_402_300_800_000).contains(value.milliseconds) else { return nil }
    self = value
  }

  private static func dateOnly(_ text: String) -> Date? {
    try? Date.ISO8601FormatStyle().year().month().day().parse(text)
  }

  package var text: String {
    Date(timeIntervalSince1970: Double(milliseconds) / 1000).formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
  }

  package var seconds: Int { milliseconds / 1000 }

  package func adding(seconds: Int) -> CloudDate { CloudDate(milliseconds: milliseconds + seconds * 1000) }
  package static func < (a: CloudDate, b: CloudDate) -> Bool { a.milliseconds < b.milliseconds }
}
