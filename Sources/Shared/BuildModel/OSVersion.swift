import FoundationEssentials

/// A balenaOS version: `M.m.p`, an optional prerelease, `+revN`; or an ESR number `YYYY.M.p`, month padded or not.
///
/// Reads what real tags hold: a leading `v` (or two), zero-padded minor and patch numbers, `.revN` for `+revN`; and the form `balenaOS 2.60.1`
/// that devices report. Two spellings of one version order as the same but are not `==`, because ``text`` differs.
package struct OSVersion: Hashable, Sendable, CustomStringConvertible {
  package enum Identifier: Hashable, Sendable {
    case number(Int)
    case text(String)
  }
  package let major: Int
  package let minor: Int
  package let patch: Int
  package let prerelease: [Identifier]
  /// Parts after `+`, for example `rev4`, `dev`.
  package let build: [String]
  /// As it was written, without the leading `v`.
  package let text: String

  /// nil when the text is no version.
  package init?(_ input: some StringProtocol) {
    var text = Substring(input)
    for product in ["balenaOS ", "Resin OS "] where text.hasPrefix(product) { text = text.dropFirst(product.count) }
    while text.first == "v" { text = text.dropFirst() }
    self.text = String(text)
    var head = text
    var buildPart: Substring?
    if let plus = text.firstIndex(of: "+") {
      head = text[..<plus]
      buildPart = text[text.index(after: plus)...]
    }
    var prereleasePart: Substring?
    if let dash = head.firstIndex(of: "-") {
      prereleasePart = head[head.index(after: dash)...]
      head = head[..<dash]
    }
    var numbers = head.split(separator: ".", omittingEmptySubsequences: false)
    if numbers.count == 4, buildPart == nil, prereleasePart == nil, numbers[3].hasPrefix("rev") || ["dev", "prod"].contains(numbers[3]) {
      buildPart = numbers.removeLast()
    }
    guard numbers.count == 3, let major = Self.number(numbers[0], padded: false), let minor = Self.number(numbers[1], padded: true),
      let patch = Self.number(numbers[2], padded: true)
    else { return nil }
    self.major = major
    self.minor = minor
    self.patch = patch
    guard let prerelease = Self.identifiers(prereleasePart), let build = Self.identifiers(buildPart) else { return nil }
    self.prerelease = prerelease.map { part in
      part.utf8.allSatisfy { (48...57).contains($0) } ? Int(part).map { .number($0) } ?? .text(part) : .text(part)
    }
    self.build = build
  }

  package var description: String { text }

  /// N of `+revN`; nil when there is none.
  package var revision: Int? {
    guard let first = build.first, first.hasPrefix("rev") else { return nil }
    let digits = first.dropFirst(3)
    return digits.isEmpty || !digits.utf8.allSatisfy({ (48...57).contains($0) }) ? nil : Int(digits)
  }

  /// Whether this is the number of an extended support release.
  package var isESR: Bool { major >= 2019 && [1, 4, 7, 10].contains(minor) && prerelease.isEmpty && build.isEmpty }

  /// The version as an image tag: every byte outside `[A-Za-z0-9_.-]` becomes `_`.
  package var imageTag: String {
    String(decoding: text.utf8.map { $0.isLetterOrDigit || [45, 46, 95].contains($0) ? $0 : UInt8(ascii: "_") }, as: UTF8.self)
  }

  private static func number(_ text: Substring, padded: Bool) -> Int? {
    guard !text.isEmpty, text.utf8.count <= 9, text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
    if !padded, text.utf8.count > 1, text.first == "0" { return nil }
    return Int(text)
  }

  private static func identifiers(_ part: Substring?) -> [String]? {
    guard let part else { return [] }
    let parts = part.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    let isValid = parts.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy { $0.isLetterOrDigit || $0 == UInt8(ascii: "-") } }
    return isValid ? parts : nil
  }
}

extension OSVersion: Codable {
  /// ``text``, and nothing else.
  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard text.utf8.count <= 128, let version = OSVersion(text) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "not an OS version: \(text.prefix(80))")
    }
    self = version
  }
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }
}

extension OSVersion: Comparable {
  /// `M.m.p`, then the prerelease by SemVer 2.0 section 11, then the numeric revision (absent is 0), then `dev` before non-`dev`.
  package static func < (a: OSVersion, b: OSVersion) -> Bool {
    let order = a.order(b)
    if order != 0 { return order < 0 }
    if (a.revision ?? 0) != (b.revision ?? 0) { return (a.revision ?? 0) < (b.revision ?? 0) }
    let (first, second) = (a.build.contains("dev"), b.build.contains("dev"))
    return first && !second
  }

  /// Compares without build metadata: negative, zero or positive.
  func order(_ other: OSVersion) -> Int {
    for (mine, its) in [(major, other.major), (minor, other.minor), (patch, other.patch)] where mine != its {
      return mine < its ? -1 : 1
    }
    if prerelease.isEmpty != other.prerelease.isEmpty { return prerelease.isEmpty ? 1 : -1 }
    for (mine, its) in zip(prerelease, other.prerelease) where mine != its {
      switch (mine, its) {
      case (.number(let x), .number(let y)): return x < y ? -1 : 1
      case (.number, .text): return -1
      case (.text, .number): return 1
      case (.text(let x), .text(let y)): return x < y ? -1 : 1
      }
    }
    return prerelease.count - other.prerelease.count
  }
}
