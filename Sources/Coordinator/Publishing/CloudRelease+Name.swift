import Balena

extension CloudRelease {
  /// What the server calls the release, or will: a draft's raw version without the time that is in it (its last prerelease identifier). nil where the server
  /// knows no version of it.
  package var name: String? {
    var text = rawVersion
    if !isFinal {
      let head = rawVersion.prefix { $0 != "+" }
      guard let mark = head.lastIndex(where: { $0 == "-" || $0 == "." }), head.contains("-"),
        head[head.index(after: mark)...].utf8.allSatisfy({ (48...57).contains($0) })
      else { return rawVersion }
      text = String(head[..<mark] + rawVersion[head.endIndex...])
    }
    return text == ReleaseVersion.unset || text.hasPrefix(ReleaseVersion.unset + "+") ? nil : text
  }

  /// Whether this one became final before the other: the server counts what it calls the same, whatever the build metadata. nil where it counted apart.
  package func precedes(_ other: CloudRelease) -> Bool? {
    guard let revision, let otherRevision = other.revision else { return nil }
    func series(_ release: CloudRelease) -> Substring { release.rawVersion.prefix { $0 != "+" } }
    return series(self) == series(other) ? revision < otherRevision : nil
  }
}
