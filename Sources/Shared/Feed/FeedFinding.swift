import FoundationEssentials

/// One thing that is wrong with a feed, or worth knowing.
package struct FeedFinding: Codable, Hashable, Sendable {
  package enum Rule: String, Codable, Hashable, Sendable, CaseIterable {
    /// A directory holds packages but no index.
    case indexMissing = "index-missing"
    /// An index that cannot be read: a link, a device, too large.
    case indexUnusable = "index-unusable"
    /// Lines or stanzas of an index that say nothing usable.
    case stanza
    /// `Packages.gz` is missing, broken or not the same as `Packages`.
    case compressedIndex = "compressed-index"
    /// A stanza of another architecture: the index of another feed.
    case architecture
    /// Two stanzas of one version that promise different content.
    case duplicate
    case fileMissing = "file-missing"
    /// A package file that is a link or a device, or lies behind a link.
    case fileKind = "file-kind"
    case size
    case digest
    case noDigest = "no-digest"
    /// A package file that no index lists.
    case unlisted
    /// A package that is no proper ipk.
    case package
    /// A package whose own control file says other than its stanza.
    case control
    /// A package with entries that are refused.
    case content
    /// Could not be fetched.
    case transfer
    /// A directory that PACKAGE_ARCHS does not name.
    case directory
    /// A package that only md5 vouches for.
    case weakDigest = "weak-digest"
    /// A package with maintainer scripts, which nobody runs.
    case scripts
    /// An item of Provides, Conflicts or Replaces that cannot be read.
    case relation

    /// Whether the feed must not be used as it is.
    package var isError: Bool {
      switch self {
      case .directory, .weakDigest, .scripts, .relation: false
      default: true
      }
    }
  }

  package var rule: Rule
  /// Below the feed's root.
  package var file: String
  /// Of the index, from 1.
  package var line: Int?
  package var package: String?
  package var reason: String

  package var isError: Bool { rule.isError }

  package init(rule: Rule, file: String, line: Int? = nil, package: String? = nil, reason: String) {
    self.rule = rule
    self.file = file
    self.line = line
    self.package = package
    self.reason = reason
  }

  /// Absent values are explicit nulls.
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(rule, forKey: .rule)
    try container.encode(file, forKey: .file)
    try container.encode(line, forKey: .line)
    try container.encode(package, forKey: .package)
    try container.encode(reason, forKey: .reason)
  }

  static let indexIsMissing = "is missing although the directory holds packages; the package-index task (or blockfarm feed index) makes it"

  static func isOfAnotherFeed(_ stanza: PackageStanza) -> String {
    "\(stanza.name) is of architecture '\(stanza.architecture.prefix(80))': the index of another feed?"
  }
}

/// What a check of a feed found.
package struct FeedReport: Codable, Hashable, Sendable {
  /// Always 1.
  package var version = 1
  /// Packages that the indexes list.
  package var packages = 0
  /// Their bytes, by the indexes.
  package var bytes: Int64 = 0
  /// The directories that were checked.
  package var architectures: [String] = []
  /// In the order they were found; at most ``findingLimit``.
  package var findings: [FeedFinding] = []
  /// How often each rule was broken, also beyond the limit.
  package var counts: [String: Int] = [:]

  package static let findingLimit = 10_000

  package var errorCount: Int { FeedFinding.Rule.allCases.filter(\.isError).reduce(0) { $0 + (counts[$1.rawValue] ?? 0) } }

  package init() {}

  package mutating func add(_ finding: FeedFinding) {
    counts[finding.rule.rawValue, default: 0] += 1
    if findings.count < Self.findingLimit { findings.append(finding) }
  }

  package mutating func remove(where isUnwanted: (FeedFinding) -> Bool) {
    for finding in findings where isUnwanted(finding) {
      let left = (counts[finding.rule.rawValue] ?? 1) - 1
      counts[finding.rule.rawValue] = left > 0 ? left : nil
    }
    findings.removeAll(where: isUnwanted)
  }

  /// Counts what is known to be wrong but was not kept.
  mutating func count(_ rule: FeedFinding.Rule, more: Int) {
    if more > 0 { counts[rule.rawValue, default: 0] += more }
  }
}
