/// A version as node-semver reads it strictly: no leading zeros, three numbers.
package struct SemanticVersion: Hashable, Sendable {
  package var major: Int
  package var minor: Int
  package var patch: Int
  package var prerelease: [String]
  package var build: [String]

  /// What a release without version has.
  package static let unset = SemanticVersion(major: 0, minor: 0, patch: 0, prerelease: [], build: [])

  private init(major: Int, minor: Int, patch: Int, prerelease: [String], build: [String]) {
    (self.major, self.minor, self.patch, self.prerelease, self.build) = (major, minor, patch, prerelease, build)
  }

  /// nil when the text is no semver.
  package init?(_ text: String) {
    guard text.utf8.count <= 256 else { return nil }
    let plus = text.split(separator: "+", maxSplits: 1, omittingEmptySubsequences: false)
    let dash = plus[0].split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
    let numbers = dash[0].split(separator: ".", omittingEmptySubsequences: false).map { Self.number($0) }
    guard numbers.count == 3, let major = numbers[0], let minor = numbers[1], let patch = numbers[2] else { return nil }
    self.init(major: major, minor: minor, patch: patch, prerelease: [], build: [])
    if dash.count == 2 {
      guard let parts = Self.identifiers(dash[1]), !parts.contains(where: { Self.isNumeric($0) && Self.number($0[...]) == nil }) else { return nil }
      prerelease = parts
    }
    if plus.count == 2 {
      guard let parts = Self.identifiers(plus[1]) else { return nil }
      build = parts
    }
  }

  private static func isNumeric(_ text: some StringProtocol) -> Bool { !text.isEmpty && text.utf8.allSatisfy { (48...57).contains($0) } }

  private static func number(_ text: Substring) -> Int? {
    guard isNumeric(text), text == "0" || text.utf8.first != 48 else { return nil }
    // The largest whole number of JavaScript.
    return Int(text).flatMap { $0 <= 9_007_199_254_740_991 ? $0 : nil }
  }

  private static func identifiers(_ text: Substring) -> [String]? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    return parts.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy { $0.isLetterOrDigit || $0 == 45 } } ? parts : nil
  }

  package var text: String {
    "\(major).\(minor).\(patch)" + (prerelease.isEmpty ? "" : "-" + prerelease.joined(separator: "."))
      + (build.isEmpty ? "" : "+" + build.joined(separator: "."))
  }

  /// N of the first `revN` among the build parts.
  package var statedRevision: Int? {
    build.lazy.compactMap { part in part.hasPrefix("rev") ? Self.number(part.dropFirst(3)) : nil }.first
  }
}
