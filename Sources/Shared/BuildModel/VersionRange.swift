import FoundationEssentials

/// A range of versions as contracts write it (node-semver's ranges: `2.x`, `>=2.58.0 <2.70.0`, `^2.60.1`, `a || b`, `a - b`).
///
/// Build metadata is ignored. A prerelease only matches when a comparator of its set names a prerelease of the same `M.m.p`.
package struct VersionRange: Hashable, Sendable {
  private enum Operator: Hashable { case less, lessOrEqual, greater, greaterOrEqual, equal }
  private struct Comparator: Hashable {
    var operation: Operator
    var version: OSVersion
  }
  private let alternatives: [[Comparator]]

  /// nil when the text is no range.
  package init?(_ text: String) {
    var alternatives: [[Comparator]] = []
    for part in Self.split(text, by: "||") {
      guard let set = Self.set(part) else { return nil }
      alternatives.append(set)
    }
    self.alternatives = alternatives
  }

  package func contains(_ version: OSVersion) -> Bool {
    alternatives.contains { set in
      guard set.allSatisfy({ Self.holds($0, version) }) else { return false }
      if version.prerelease.isEmpty { return true }
      return set.contains {
        !$0.version.prerelease.isEmpty
          && ($0.version.major, $0.version.minor, $0.version.patch) == (version.major, version.minor, version.patch)
      }
    }
  }

  private static func holds(_ comparator: Comparator, _ version: OSVersion) -> Bool {
    let order = version.order(comparator.version)
    return switch comparator.operation {
    case .less: order < 0
    case .lessOrEqual: order <= 0
    case .greater: order > 0
    case .greaterOrEqual: order >= 0
    case .equal: order == 0
    }
  }

  private static func split(_ text: String, by separator: String) -> [String] {
    var parts: [String] = []
    var rest = text[...]
    while let range = rest.firstRange(of: separator) {
      parts.append(String(rest[..<range.lowerBound]))
      rest = rest[range.upperBound...]
    }
    return parts + [String(rest)]
  }

  private static func set(_ text: String) -> [Comparator]? {
    let words = text.split(separator: " ").map(String.init)
    if words.isEmpty { return [] }
    if words.count == 3, words[1] == "-" {
      guard let low = Partial(words[0]), let high = Partial(words[2]) else { return nil }
      let upper: [Comparator] =
        if let next = high.next { [Comparator(operation: .less, version: next)] } else {
          high.isAny ? [] : [Comparator(operation: .lessOrEqual, version: high.floor)]
        }
      return (low.isAny ? [] : [Comparator(operation: .greaterOrEqual, version: low.floor)]) + upper
    }
    var result: [Comparator] = []
    var pending = ""
    for word in words {
      // An operator may stand apart from its version.
      if ["<", "<=", ">", ">=", "=", "^", "~", "~>"].contains(word), pending.isEmpty {
        pending = word
        continue
      }
      guard let comparators = comparators(pending + word) else { return nil }
      pending = ""
      result += comparators
    }
    return pending.isEmpty ? result : nil
  }

  private static func comparators(_ word: String) -> [Comparator]? {
    let operators = ["<=", ">=", "~>", "<", ">", "=", "^", "~"]
    let sign = operators.first { word.hasPrefix($0) } ?? ""
    guard let partial = Partial(String(word.dropFirst(sign.count))) else { return nil }
    func from(_ version: OSVersion) -> Comparator { Comparator(operation: .greaterOrEqual, version: version) }
    func below(_ version: OSVersion?) -> [Comparator] { version.map { [Comparator(operation: .less, version: $0)] } ?? [] }
    if partial.isAny { return sign == "<" || sign == ">" ? [Comparator(operation: .less, version: partial.floor)] : [] }
    switch sign {
    case "<": return [Comparator(operation: .less, version: partial.floor)]
    case ">=": return [from(partial.floor)]
    case "<=":
      return partial.next.map { [Comparator(operation: .less, version: $0)] } ?? [Comparator(operation: .lessOrEqual, version: partial.floor)]
    case ">": return partial.successor.map { [from($0)] } ?? [Comparator(operation: .greater, version: partial.floor)]
    case "^": return [from(partial.floor)] + below(partial.caretCeiling)
    case "~", "~>": return [from(partial.floor)] + below(partial.tildeCeiling)
    default:
      return partial.next.map { [from(partial.floor), Comparator(operation: .less, version: $0)] }
        ?? [Comparator(operation: .equal, version: partial.floor)]
    }
  }
}

/// A version of which minor and patch may be missing or `x`.
private struct Partial {
  var major: Int?
  var minor: Int?
  var patch: Int?
  var suffix = ""

  init?(_ input: String) {
    var text = input[...]
    while text.first == "v" { text = text.dropFirst() }
    if text.isEmpty { return nil }
    if let version = OSVersion(text) {
      (major, minor, patch) = (version.major, version.minor, version.patch)
      let head = text.prefix { $0 != "+" }
      if let dash = head.firstIndex(of: "-") { suffix = String(head[dash...]) }
      return
    }
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count <= 3 else { return nil }
    var numbers: [Int?] = []
    for part in parts {
      if ["x", "X", "*"].contains(part) {
        numbers.append(nil)
      } else if let number = Int(part), part.utf8.count <= 9, part.utf8.allSatisfy({ (48...57).contains($0) }) {
        numbers.append(number)
      } else {
        return nil
      }
    }
    major = numbers[0]
    minor = major == nil || numbers.count < 2 ? nil : numbers[1]
    patch = minor == nil || numbers.count < 3 ? nil : numbers[2]
  }

  var isAny: Bool { major == nil }
  var floor: OSVersion { Self.version(major ?? 0, minor ?? 0, patch ?? 0, suffix) }

  /// The lowest version above everything a partial version stands for, its prereleases included; nil for a full one.
  var next: OSVersion? { successor.map { Self.version($0.major, $0.minor, $0.patch, "-0") } }

  /// The first release above everything a partial version stands for; nil for a full one.
  var successor: OSVersion? {
    guard let major else { return nil }
    guard let minor else { return Self.version(major + 1, 0, 0, "") }
    return patch == nil ? Self.version(major, minor + 1, 0, "") : nil
  }

  var caretCeiling: OSVersion? {
    guard let major else { return nil }
    if major > 0 || minor == nil { return Self.version(major + 1, 0, 0, "-0") }
    if let minor, minor > 0 || patch == nil { return Self.version(0, minor + 1, 0, "-0") }
    return Self.version(0, 0, (patch ?? 0) + 1, "-0")
  }

  var tildeCeiling: OSVersion? {
    guard let major else { return nil }
    return minor.map { Self.version(major, $0 + 1, 0, "-0") } ?? Self.version(major + 1, 0, 0, "-0")
  }

  private static func version(_ major: Int, _ minor: Int, _ patch: Int, _ suffix: String) -> OSVersion {
    // Three numbers and a suffix that was parsed before (or the fixed "-0") always make a version.
    OSVersion("\(major).\(minor).\(patch)\(suffix)") ?? OSVersion(major: major, minor: minor, patch: patch)
  }
}

extension OSVersion {
  /// A plain release number.
  init(major: Int, minor: Int, patch: Int) {
    self.major = major
    self.minor = minor
    self.patch = patch
    prerelease = []
    build = []
    text = "\(major).\(minor).\(patch)"
  }
}
