import FoundationEssentials

/// Finds the names a person may have meant.
package enum NearestNames {
  /// At most five of `names`, nearest first: by edit distance (at most a third of the length, at least two), and those that contain the text.
  package static func of(_ text: String, among names: some Sequence<String>) -> [String] {
    let wanted = Array(text.lowercased().utf8)
    let limit = max(2, wanted.count / 3)
    var found: [(distance: Int, name: String)] = []
    for name in Set(names) {
      let candidate = Array(name.lowercased().utf8)
      if wanted.count >= 3, name.lowercased().contains(text.lowercased()) {
        found.append((0, name))
      } else if abs(candidate.count - wanted.count) <= limit {
        let distance = distance(wanted, candidate)
        if distance <= limit { found.append((distance, name)) }
      }
    }
    return found.sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }.prefix(5).map(\.name)
  }

  /// How many letters have to be changed, added or taken away, whatever their case.
  package static func distance(_ a: String, _ b: String) -> Int { distance(Array(a.lowercased().utf8), Array(b.lowercased().utf8)) }

  /// Levenshtein's distance in bytes.
  private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var row = Array(0...b.count)
    for (i, left) in a.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, right) in b.enumerated() {
        let substituted = diagonal + (left == right ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(substituted, row[j] + 1, diagonal + 1)
      }
    }
    return row[b.count]
  }
}
