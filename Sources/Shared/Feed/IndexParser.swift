import BuildModel
import FoundationEssentials
import Glibc

/// Parses a `Packages` file piece by piece: stanzas separated by blank lines, `Key: value` with continuation lines that begin with a blank.
///
/// Works on bytes: lines are found with memchr, and only values of ``IndexField`` are copied. Holds no more than one stanza's values beside the
/// finished stanzas.
struct IndexParser {
  /// A longer line is an attack or no index at all.
  static let lineLimit = 1 << 20
  /// More stanzas than any feed has are an attack or a mistake.
  static let stanzaLimit = 200_000
  /// Problems that are kept; further ones are only counted.
  static let problemLimit = 1000
  /// Provided, conflicting and replaced names of a whole index. Each costs far more in memory than in the file.
  static let relationLimit = 1_000_000

  private(set) var stanzas: [PackageStanza] = []
  /// Bytes of each stanza in the file, from its first line to the end of its last one.
  private(set) var places: [Range<Int>] = []
  private(set) var problems: [IndexProblem] = []
  private(set) var problemCount = 0
  /// Whether reading on makes no sense.
  private(set) var isOver = false

  /// Whether to stop at the first problem.
  private let isStrict: Bool
  private var line = 0
  /// Offset in the file of the next line.
  private var offset = 0

  private var stanzaStart: Int?
  private var stanzaEnd = 0
  private var isBroken = false
  private var lastField: IndexField?
  /// Whether a line of blanks belongs to the field before it.
  private var holdsBlankLines = false
  private var relationCount = 0
  private var values: [UInt8] = []
  private var ranges = [Range<Int>?](repeating: nil, count: IndexField.allCases.count)

  init(isStrict: Bool) { self.isStrict = isStrict }

  /// Takes all whole lines of the piece, with `isLast` also one without an end; returns how many bytes were used.
  mutating func take(_ piece: UnsafeRawBufferPointer, isLast: Bool) -> Int {
    guard let start = piece.baseAddress else { return 0 }
    var used = 0
    while used < piece.count, !isOver {
      let rest = piece.count - used
      let end: Int
      if let newline = memchr(start + used, 10, rest) {
        end = newline - UnsafeMutableRawPointer(mutating: start)
      } else if isLast {
        end = piece.count
      } else {
        if rest > Self.lineLimit { refuseLongLine() }
        return used
      }
      line += 1
      if end - used > Self.lineLimit {
        line -= 1
        refuseLongLine()
        return used
      }
      read(UnsafeRawBufferPointer(rebasing: piece[used..<end]))
      let next = min(end + 1, piece.count)
      offset += next - used
      used = next
    }
    return used
  }

  /// Ends the last stanza.
  mutating func finish() {
    if !isOver { endStanza() }
  }

  private mutating func refuseLongLine() {
    line += 1
    note("is longer than \(Self.lineLimit >> 10) KiB", about: "line \(line)")
    isOver = true
  }

  private mutating func read(_ raw: UnsafeRawBufferPointer) {
    guard let first = raw.first else { return endStanza() }
    if Self.isBlank(raw) {
      guard holdsBlankLines, first == 32 else { return endStanza() }
      stanzaEnd = offset + raw.count
      return
    }
    if first == 32 || first == 9 {
      if stanzaStart == nil { return note("continues nothing", about: "line \(line)") }
      if let lastField, lastField.isOneLine { note("continues '\(lastField.name)', which is one line", about: "line \(line)") }
      if let lastField, lastField.isFolded, let range = ranges[lastField.rawValue] {
        values.append(contentsOf: raw)
        ranges[lastField.rawValue] = range.lowerBound..<values.count
      }
      stanzaEnd = offset + raw.count
      return
    }
    if stanzaStart == nil { stanzaStart = offset }
    stanzaEnd = offset + raw.count
    lastField = nil
    holdsBlankLines = false
    guard let start = raw.baseAddress, let colon = memchr(start, 58, raw.count) else {
      return note("is neither 'Key: value' nor a continuation", about: "line \(line)")
    }
    let length = colon - UnsafeMutableRawPointer(mutating: start)
    let key = UnsafeRawBufferPointer(rebasing: raw[..<length])
    guard let field = IndexField(key) else {
      holdsBlankLines = IndexField.holdsBlankLines(key)
      return
    }
    lastField = field
    guard ranges[field.rawValue] == nil else { return note("gives '\(field.name)' twice", about: "line \(line)") }
    var from = length + 1
    var to = raw.count
    while from < to, raw[from] == 32 || raw[from] == 9 { from += 1 }
    while to > from, raw[to - 1] == 32 || raw[to - 1] == 9 || raw[to - 1] == 13 { to -= 1 }
    ranges[field.rawValue] = values.count..<values.count + to - from
    values.append(contentsOf: raw[from..<to])
  }

  private static func isBlank(_ raw: UnsafeRawBufferPointer) -> Bool {
    guard let first = raw.first else { return true }
    guard first == 32 || first == 9 || first == 13 else { return false }
    return raw.allSatisfy { $0 == 32 || $0 == 9 || $0 == 13 }
  }

  private mutating func note(_ reason: String, about place: String) {
    isBroken = true
    problemCount += 1
    if problems.count < Self.problemLimit {
      problems.append(IndexProblem(line: line, package: text(.package).map { String($0.prefix(100)) }, reason: "\(place) \(reason)"))
    }
    if isStrict { isOver = true }
  }

  private func text(_ field: IndexField) -> String? {
    ranges[field.rawValue].map { String(decoding: values[$0], as: UTF8.self) }
  }

  private mutating func endStanza() {
    defer {
      stanzaStart = nil
      isBroken = false
      lastField = nil
      holdsBlankLines = false
      values.removeAll(keepingCapacity: true)
      for index in ranges.indices { ranges[index] = nil }
    }
    guard let stanzaStart, !isBroken else { return }
    guard stanzas.count < Self.stanzaLimit else {
      note("more than \(Self.stanzaLimit) packages", about: "stanza before line \(line):")
      isOver = true
      return
    }
    if let stanza = stanza() {
      stanzas.append(stanza)
      places.append(stanzaStart..<stanzaEnd)
    }
  }

  /// The stanza from its values; notes everything that is wrong with them.
  private mutating func stanza() -> PackageStanza? {
    let place = "stanza before line \(line):"
    guard let text = text(.package) else {
      note("no 'Package'", about: place)
      return nil
    }
    guard let name = try? PackageName(text) else {
      note("'\(text.prefix(100))' is not a package name", about: place)
      return nil
    }
    func decoded(_ field: IndexField) -> String? { self.text(field) }
    let version = decoded(.version).flatMap { OpkgVersion(valid: $0) }
    if version == nil { note("\(name) has no valid 'Version'", about: place) }
    let file = decoded(.filename).flatMap { RelativePath($0.hasPrefix("./") ? String($0.dropFirst(2)) : $0) }
    if file == nil { note("\(name) has no 'Filename' inside its directory", about: place) }
    let size = ranges[IndexField.size.rawValue].flatMap { Self.decimal(values[$0]) }
    if size == nil { note("\(name) has no 'Size'", about: place) }
    let sha256 = decoded(.sha256).map { Digest(hex: $0.lowercased()) }
    if let sha256, sha256 == nil { note("\(name) has a SHA256sum that is none", about: place) }
    let md5 = decoded(.md5)?.lowercased()
    if let md5, md5.utf8.count != 32 || !md5.utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) }) {
      note("\(name) has an MD5Sum that is none", about: place)
    }
    guard !isBroken, let version, let file, let size else { return nil }
    var stanza = PackageStanza(
      name: name, version: version, architecture: decoded(.architecture) ?? "", file: file, size: size, sha256: sha256 ?? nil, md5: md5,
      recipe: decoded(.oe) ?? decoded(.source).map(Self.recipe), license: decoded(.license))
    stanza.provides = relations(.provides, of: &stanza)
    stanza.conflicts = relations(.conflicts, of: &stanza)
    stanza.replaces = relations(.replaces, of: &stanza)
    guard relationCount <= Self.relationLimit else {
      note("more than \(Self.relationLimit) names in Provides, Conflicts and Replaces", about: place)
      isOver = true
      return nil
    }
    return stanza
  }

  private mutating func relations(_ field: IndexField, of stanza: inout PackageStanza) -> [PackageRelation] {
    guard let text = text(field) else { return [] }
    let list = PackageRelation.list(text, allowsAlternatives: field != .provides)
    stanza.unreadableRelations += list.unreadable.map { "\(field.name): \($0)" }
    relationCount += list.relations.count
    return list.relations
  }

  /// Digits only; nil for anything else or more than 18 of them.
  private static func decimal(_ digits: ArraySlice<UInt8>) -> Int64? {
    guard (1...18).contains(digits.count), digits.allSatisfy({ (48...57).contains($0) }) else { return nil }
    return digits.reduce(0) { $0 * 10 + Int64($1 - 48) }
  }

  /// `hello-sh_1.2.bb` → `hello-sh`.
  private static func recipe(_ source: String) -> String { String(source.prefix { $0 != "_" }) }
}
