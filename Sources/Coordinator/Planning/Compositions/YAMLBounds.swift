import BuildModel

/// What a composition file may hold at most. Looked at before it is parsed: the parser takes aliases apart and compares mapping keys while it reads,
/// so a few lines of aliases of aliases would keep it busy for ever. Real files have one or two kilobytes.
enum YAMLBounds {
  static let bytes = 64 << 10
  /// Aliases, or words that look like one (`*word`) outside of plain comment lines. So few cannot grow beyond what is counted afterwards.
  static let aliases = 8
  /// Opened flow lists and mappings in the file.
  static let brackets = 500
  /// Block indicators on one line (`- - - x`).
  static let indicators = 32
  /// Values after aliases were taken apart.
  static let values = 20_000
  static let depth = 32

  struct Excess: Error {
    var rule: CompositionRule
    var line: Int?
    var reason: String
  }

  static func check(_ bytes: [UInt8]) throws(Excess) {
    guard bytes.count <= Self.bytes else {
      throw Excess(rule: .size, line: nil, reason: "it has \(Counted(bytes.count, "byte")), and \(Self.bytes) are the limit")
    }
    var (stars, brackets) = (0, 0)
    for (index, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() where !isComment(line) {
      stars += starts(in: line)
      brackets += line.count { $0 == UInt8(ascii: "[") || $0 == UInt8(ascii: "{") }
      guard stars <= aliases else { throw Excess(rule: .aliases, line: index + 1, reason: "more than \(aliases) aliases") }
      guard brackets <= Self.brackets, indicators(in: line) <= Self.indicators else {
        throw Excess(rule: .nesting, line: index + 1, reason: "more than \(Self.brackets) brackets, or \(Self.indicators) indicators on a line")
      }
    }
  }

  /// A line that is a comment wherever it stands, or the inside of a scalar: one with a quote could end a scalar and go on as something else, and
  /// YAML knows line breaks outside of ASCII.
  private static func isComment(_ line: ArraySlice<UInt8>) -> Bool {
    line.first { $0 != UInt8(ascii: " ") } == UInt8(ascii: "#")
      && line.allSatisfy { (32...126).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "'") }
  }

  /// Stars that may begin an alias: not inside a word or path, and with something behind them.
  private static func starts(in line: ArraySlice<UInt8>) -> Int {
    var count = 0
    for index in line.indices where line[index] == UInt8(ascii: "*") {
      let next = index + 1 < line.endIndex ? line[index + 1] : 32
      if isBlank(next) { continue }
      if index > line.startIndex, isInsideWord(line[index - 1]) { continue }
      count += 1
    }
    return count
  }

  private static func isInsideWord(_ byte: UInt8) -> Bool {
    (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || "/_.\"'*".utf8.contains(byte)
  }

  private static func indicators(in line: ArraySlice<UInt8>) -> Int {
    line.indices.count { "-?:".utf8.contains(line[$0]) && ($0 + 1 == line.endIndex || isBlank(line[$0 + 1])) }
  }

  private static func isBlank(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 || byte == 13 }
}
