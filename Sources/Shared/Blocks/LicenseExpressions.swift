import FoundationEssentials

/// Turns the licence fields of a feed's index into SPDX expressions (SPDX 2.3, annex D).
///
/// OE's field has `&`, `|`, parentheses and names that are mostly, not always, SPDX identifiers (meta/conf/licenses.conf); names side by side are
/// joined by `&`, which binds tighter than `|` as AND does than OR. A name that is no identifier becomes a `LicenseRef-…`, which the document then
/// has to declare.
struct LicenseExpressions {
  /// Names by the reference that stands for each.
  private(set) var references: [String: String] = [:]

  static let unknown = "NOASSERTION"

  /// The field of one package; what is missing, too long or no expression is unknown.
  mutating func expression(_ field: String?) -> String {
    guard let field, field.utf8.count <= 4096, let tokens = Self.tokens(field) else { return Self.unknown }
    return tokens.map { token in
      switch token {
      case .and: " AND "
      case .or: " OR "
      case .with(let exception): " WITH " + exception
      case .open: "("
      case .close: ")"
      case .name(let name): Self.identifier(name) ?? reference(name)
      }
    }.joined()
  }

  private enum Token: Equatable { case and, or, open, close, with(String), name(String) }

  /// nil where the field is no expression.
  private static func tokens(_ field: String) -> [Token]? {
    var words: [String] = []
    var word = ""
    for character in field {
      if "&|()".contains(character) || character.isWhitespace {
        if !word.isEmpty { words.append(word) }
        word = ""
        if !character.isWhitespace { words.append(String(character)) }
      } else {
        word.append(character)
      }
    }
    if !word.isEmpty { words.append(word) }
    var tokens: [Token] = []
    var depth = 0
    var isComplete = false
    var rest = words[...]
    while let next = rest.popFirst() {
      switch next {
      case "&", "|", "AND", "OR":
        guard isComplete else { return nil }
        tokens.append(next == "&" || next == "AND" ? .and : .or)
        isComplete = false
      case ")":
        guard isComplete, depth > 0 else { return nil }
        depth -= 1
        tokens.append(.close)
      case "WITH":
        guard case .name = tokens.last, let name = rest.popFirst(), let exception = SPDXLicenseList.exceptions[name.lowercased()] else { return nil }
        tokens.append(.with(exception))
      default:
        if isComplete { tokens.append(.and) }
        if next == "(" { depth += 1 }
        tokens.append(next == "(" ? .open : .name(next))
        isComplete = next != "("
      }
    }
    return isComplete && depth == 0 ? tokens : nil
  }

  /// The SPDX identifier that a name stands for.
  static func identifier(_ name: String) -> String? {
    let small = name.lowercased()
    return SPDXLicenseList.licenses[small] ?? historic[small] ?? gnu(small)
  }

  /// Names from OE's table that are no identifiers (those of GNU's licences follow rules, see ``gnu(_:)``).
  private static let historic = [
    "apache-2": "Apache-2.0", "apachev2": "Apache-2.0", "apachev2.0": "Apache-2.0", "artisticv1": "Artistic-1.0", "artistic-1": "Artistic-1.0",
    "afl-2": "AFL-2.0", "afl-1": "AFL-1.2", "aflv2": "AFL-2.0", "aflv1": "AFL-1.2", "eplv1.0": "EPL-1.0", "freetype": "FTL", "mit-x": "MIT",
    "mit-style": "MIT", "mpl-1": "MPL-1.0", "mplv1": "MPL-1.0", "mplv1.1": "MPL-1.1", "mpl-2": "MPL-2.0", "mplv2": "MPL-2.0", "mplv2.0": "MPL-2.0",
    "psf": "PSF-2.0", "psfv2": "PSF-2.0", "python-2": "PSF-2.0", "cddl-1": "CDDL-1.0", "cddlv1": "CDDL-1.0",
  ]

  /// `GPLv2+`, `LGPL-2.1`, `AGPL-3.0+` …: the version without a word means that version only, `+` any later one.
  private static func gnu(_ small: String) -> String? {
    guard let family = ["agpl", "lgpl", "gpl"].first(where: small.hasPrefix) else { return nil }
    var rest = small.dropFirst(family.count)
    var isOpen = false
    for (suffix, open) in [("+", true), ("-or-later", true), ("-only", false)] where rest.hasSuffix(suffix) {
      rest = rest.dropLast(suffix.count)
      isOpen = open
      break
    }
    if rest.hasPrefix("-") { rest = rest.dropFirst() }
    if rest.hasPrefix("v") { rest = rest.dropFirst() }
    let version = rest.contains(".") ? String(rest) : rest + ".0"
    return SPDXLicenseList.licenses["\(family)-\(version)-\(isOpen ? "or-later" : "only")"]
  }

  private mutating func reference(_ name: String) -> String {
    let allowed = name.utf8.prefix(100).map { byte -> UInt8 in
      let isPlain = (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == UInt8(ascii: ".")
      return isPlain ? byte : UInt8(ascii: "-")
    }
    let base = "LicenseRef-" + String(decoding: allowed, as: UTF8.self)
    // Two names may come to the same letters.
    for number in 1... {
      let candidate = number == 1 ? base : "\(base)-\(number)"
      if let taken = references[candidate], taken != name { continue }
      references[candidate] = name
      return candidate
    }
    return Self.unknown
  }
}
