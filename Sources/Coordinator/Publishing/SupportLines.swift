import BuildModel

/// A line of extended support releases: `YYYY.M`, written `YYYY.M.x` in application tags.
package struct SupportLine: Hashable, Sendable, Comparable, CustomStringConvertible {
  package let year: Int
  package let month: Int
  /// The month may be written with a leading zero; lines are compared by number.
  package let text: String

  /// The line of an extended support version; nil for any other version.
  package init?(of version: OSVersion) {
    guard version.isESR, let dot = version.text.lastIndex(of: ".") else { return nil }
    year = version.major
    month = version.minor
    text = version.text[..<dot] + ".x"
  }

  /// Reads a tag's value; nil when it is none.
  package init?(tag value: String) {
    guard value.hasSuffix(".x"), let version = OSVersion(value.dropLast(1) + "0"), version.isESR else { return nil }
    self.init(of: version)
  }

  package var description: String { text }
  package static func == (a: Self, b: Self) -> Bool { (a.year, a.month) == (b.year, b.month) }
  package static func < (a: Self, b: Self) -> Bool { (a.year, a.month) < (b.year, b.month) }
  package func hash(into hasher: inout Hasher) {
    hasher.combine(year)
    hasher.combine(month)
  }
}

/// The lines that an application's tags name. A lookup that failed never becomes one of these.
package struct SupportLines: Hashable, Sendable {
  package enum Tag: String, Hashable, Sendable, CaseIterable {
    case next = "esr-next"
    case current = "esr-current"
    case sunset = "esr-sunset"
  }
  package struct Change: Hashable, Sendable {
    package let tag: Tag
    package let line: SupportLine
  }
  package var next: SupportLine?
  package var current: SupportLine?
  package var sunset: SupportLine?

  package init(next: SupportLine?, current: SupportLine?, sunset: SupportLine?) {
    self.next = next
    self.current = current
    self.sunset = sunset
  }

  /// Reads an application's tags; a value that is no line is an error.
  package init(tags: [String: String], of application: String) throws(PublishingError) {
    func line(_ tag: Tag) throws(PublishingError) -> SupportLine? {
      guard let value = tags[tag.rawValue] else { return nil }
      guard let line = SupportLine(tag: value) else {
        throw .unexpected(what: "tag \(tag.rawValue) of \(application)", found: "'\(value)'", expected: "a line as 2024.1.x")
      }
      return line
    }
    self.init(next: try line(.next), current: try line(.current), sunset: try line(.sunset))
  }

  /// What a release of `line` changes, in the order in which the tags must be written.
  ///
  /// Lines shift only for one that is newer than all; a patch of an older line changes nothing. Sunset is written first, then current, then next, and
  /// where current and next are the same already, next alone: so a shift that was cut off after any write is repeated to the same end.
  package func changes(for line: SupportLine, of application: String) throws(PublishingError) -> [Change] {
    func inconsistent(_ found: String) -> PublishingError {
      .unexpected(what: "the set of support lines of \(application)", found: found, expected: "current, then next, then sunset set in this order")
    }
    guard let current else {
      guard next == nil, sunset == nil else { throw inconsistent("without \(Tag.current.rawValue)") }
      return [Change(tag: .current, line: line)]
    }
    guard let next else {
      guard sunset == nil else { throw inconsistent("without \(Tag.next.rawValue)") }
      return line > current ? [Change(tag: .next, line: line)] : []
    }
    guard current <= next else { throw inconsistent("\(current) as current and \(next) as next") }
    guard line > next else { return [] }
    if current == next { return [Change(tag: .next, line: line)] }
    return [Change(tag: .sunset, line: current), Change(tag: .current, line: next), Change(tag: .next, line: line)]
  }
}
