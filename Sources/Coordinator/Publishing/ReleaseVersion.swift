import BuildModel

/// How the server counts versions, and what of an OS version it can take (balena-cloud-api.md section 8).
///
/// A final release gets a revision: 0, then one more than the largest of the same application, `M.m.p`, prerelease and variant. The server refuses
/// a `+revN` that is not the revision it would assign.
package struct ReleaseVersion: Hashable, Sendable {
  /// The server's word for a release without version.
  package static let unset = "0.0.0"

  /// As the device repository's tag says it.
  package let version: OSVersion

  package init(_ version: OSVersion) { self.version = version }

  /// Whether the text is SemVer 2.0 to the letter: no leading zeros, no empty or odd identifiers, at most 256 characters.
  package var isStrict: Bool { Self.isStrict(version.text) }

  /// The revision that the version itself names: N of `+revN`, else 0; nil where it is written as the server would not write it.
  package var wantedRevision: Int? {
    let named = version.build.filter { $0.hasPrefix("rev") }
    guard let only = named.first else { return 0 }
    guard named.count == 1, let number = Int(only.dropFirst(3)), number > 0, only == "rev\(number)" else { return nil }
    return number
  }

  /// The text for the release's `semver`; nil where the server would refuse it or call the release by another name. The release's identity is then
  /// its tag `version` alone. `revisions` are those of the application's final releases with the same `M.m.p` and prerelease.
  package func posted(revisions: [Int]) -> String? {
    let next = (revisions.max() ?? -1) + 1
    guard isStrict, wantedRevision == next, version.prereleaseText.utf8.count <= 100, buildText.utf8.count <= 50 else { return nil }
    return version.text
  }

  private var buildText: String { version.build.joined(separator: ".") }

  package static func isStrict(_ text: String) -> Bool {
    guard text.utf8.count <= 256 else { return false }
    let plus = text.firstIndex(of: "+")
    let head = plus.map { text[..<$0] } ?? text[...]
    let dash = head.firstIndex(of: "-")
    let core = (dash.map { head[..<$0] } ?? head).split(separator: ".", omittingEmptySubsequences: false)
    guard core.count == 3, core.allSatisfy({ isNumber($0) && !$0.isEmpty }) else { return false }
    func identifiers(_ part: Substring?) -> [Substring]? {
      guard let part else { return [] }
      let parts = part.split(separator: ".", omittingEmptySubsequences: false)
      let isValid = parts.allSatisfy { !$0.isEmpty && $0.unicodeScalars.allSatisfy(isIdentifier) }
      return isValid ? parts : nil
    }
    guard identifiers(plus.map { text[text.index(after: $0)...] }) != nil else { return false }
    guard let prerelease = identifiers(dash.map { head[head.index(after: $0)...] }) else { return false }
    return prerelease.allSatisfy { !$0.utf8.allSatisfy { (48...57).contains($0) } || isNumber($0) }
  }

  /// Digits without a leading zero, at most JavaScript's largest safe integer.
  private static func isNumber(_ text: Substring) -> Bool {
    text.utf8.allSatisfy { (48...57).contains($0) } && (text == "0" || text.first != "0") && (Int(text) ?? .max) <= 9_007_199_254_740_991
  }

  private static func isIdentifier(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "a"..."z", "A"..."Z", "0"..."9", "-": true
    default: false
    }
  }
}
