import BuildModel
import Publishing
import Testing

/// The shift of extended support lines, also when it is cut off.
struct SupportLineTests {
  func line(_ text: String?) throws -> SupportLine? { try text.map { try #require(SupportLine(tag: $0)) } }

  func lines(_ next: String?, _ current: String?, _ sunset: String?) throws -> SupportLines {
    SupportLines(next: try line(next), current: try line(current), sunset: try line(sunset))
  }

  static let cases: [(next: String?, current: String?, sunset: String?, version: String, changes: [String])] = [
    // The first one sets current, the second line next, every further one shifts.
    (nil, nil, nil, "2023.1.0", ["esr-current=2023.1.x"]),
    (nil, "2023.1.x", nil, "2023.4.0", ["esr-next=2023.4.x"]),
    ("2023.4.x", "2023.1.x", nil, "2023.7.0", ["esr-sunset=2023.1.x", "esr-current=2023.4.x", "esr-next=2023.7.x"]),
    ("2023.7.x", "2023.4.x", "2023.1.x", "2023.10.0", ["esr-sunset=2023.4.x", "esr-current=2023.7.x", "esr-next=2023.10.x"]),
    // Patches of any known line, and releases of older lines, change nothing.
    (nil, "2023.1.x", nil, "2023.1.7", []), ("2023.4.x", "2023.1.x", nil, "2023.4.9", []), ("2023.4.x", "2023.1.x", nil, "2023.1.9", []),
    ("2023.7.x", "2023.4.x", "2023.1.x", "2023.1.9", []), ("2023.7.x", "2023.4.x", "2023.1.x", "2022.10.3", []),
    // October comes after July: lines are numbers.
    ("2023.7.x", "2023.4.x", "2023.1.x", "2024.1.0", ["esr-sunset=2023.4.x", "esr-current=2023.7.x", "esr-next=2024.1.x"]),
    ("2023.10.x", "2023.7.x", "2023.4.x", "2023.7.1", []),
    // Padded and unpadded are one line; the tag is written as the version is.
    ("2022.01.x", "2021.10.x", "2021.07.x", "2022.1.1", []),
    ("2021.10.x", "2021.07.x", "2021.04.x", "2022.01.0", ["esr-sunset=2021.07.x", "esr-current=2021.10.x", "esr-next=2022.01.x"]),
    // A shift that was cut off before its last write.
    ("2023.7.x", "2023.7.x", "2023.4.x", "2023.10.0", ["esr-next=2023.10.x"]),
  ]

  @Test(arguments: cases)
  func shifts(_ one: (next: String?, current: String?, sunset: String?, version: String, changes: [String])) throws {
    let version = try #require(OSVersion(one.version).flatMap { SupportLine(of: $0) })
    let changes = try lines(one.next, one.current, one.sunset).changes(for: version, of: "app")
    #expect(changes.map { "\($0.tag.rawValue)=\($0.line)" } == one.changes)
  }

  /// Every case, cut off after each of its writes and then repeated, ends as the one that was not.
  @Test(arguments: cases)
  func canBeCutOffAnywhere(_ one: (next: String?, current: String?, sunset: String?, version: String, changes: [String])) throws {
    let line = try #require(OSVersion(one.version).flatMap { SupportLine(of: $0) })
    let start = try lines(one.next, one.current, one.sunset)
    let all = try start.changes(for: line, of: "app")
    var whole = start
    for change in all { whole.apply(change) }
    #expect(try whole.changes(for: line, of: "app").isEmpty)
    for count in 0...all.count {
      var cut = start
      for change in all.prefix(count) { cut.apply(change) }
      for change in try cut.changes(for: line, of: "app") { cut.apply(change) }
      #expect(cut == whole)
    }
  }

  @Test func refusesSetsThatNoShiftMakes() throws {
    let line = try #require(SupportLine(tag: "2024.1.x"))
    #expect(complaint { try lines("2023.4.x", nil, nil).changes(for: line, of: "app") }.contains("without esr-current"))
    #expect(complaint { try lines(nil, "2023.4.x", "2023.1.x").changes(for: line, of: "app") }.contains("without esr-next"))
    #expect(complaint { try lines("2023.1.x", "2023.4.x", nil).changes(for: line, of: "app") }.contains("2023.4.x as current and 2023.1.x as next"))
  }

  @Test func readsTagsAndRefusesOtherValues() throws {
    let found = try SupportLines(tags: ["esr-current": "2023.01.x", "other": "1"], of: "app")
    #expect(found.current == (try line("2023.1.x")))
    #expect(found.next == nil)
    for value in ["2023.01", "null", "", "2023.2.x", "3.1.x", "2023.1.0"] {
      #expect(complaint { try SupportLines(tags: ["esr-next": value], of: "app") }.contains("expected a line as 2024.1.x"))
    }
    #expect(SupportLine(of: try #require(OSVersion("2.60.1"))) == nil)
  }
}

extension SupportLines {
  /// What the tags name when the change has been written.
  fileprivate mutating func apply(_ change: Change) {
    switch change.tag {
    case .next: next = change.line
    case .current: current = change.line
    case .sunset: sunset = change.line
    }
  }
}
