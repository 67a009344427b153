/// Two texts compared line by line, shown as `diff -u` shows it: changed lines with three unchanged ones around them.
package struct TextDifference {
  private enum Row {
    case both(String), removed(String), added(String)

    var isChange: Bool { if case .both = self { false } else { true } }
  }

  private static let context = 3
  /// More rows than this say nothing more to a reader.
  private static let limit = 120

  /// Ready to be printed: "-" and "+" before changed lines, a blank before others, `@@ line N` where something was left out.
  package let lines: [String]

  package init(from old: String, to new: String) {
    let rows = Self.rows(Self.split(old), Self.split(new))
    let shown = Set(rows.indices.filter { rows[$0].isChange }.flatMap { max(0, $0 - Self.context)...min(rows.count - 1, $0 + Self.context) })
    var lines: [String] = []
    // Of the new text, counted from 1.
    var number = 0
    var wasShown = true
    for (index, row) in rows.enumerated() {
      if case .removed = row {} else { number += 1 }
      defer { wasShown = shown.contains(index) }
      guard shown.contains(index) else { continue }
      if !wasShown { lines.append("@@ line \(number)") }
      switch row {
      case .both(let text): lines.append(" " + Self.visible(text))
      case .removed(let text): lines.append("-" + Self.visible(text))
      case .added(let text): lines.append("+" + Self.visible(text))
      }
    }
    if lines.count > Self.limit { lines = lines.prefix(Self.limit) + ["… and \(lines.count - Self.limit) more lines"] }
    self.lines = lines
  }

  private static func rows(_ old: [String], _ new: [String]) -> [Row] {
    let difference = new.difference(from: old)
    let removed = Set(difference.removals.map(Self.offset))
    let added = Set(difference.insertions.map(Self.offset))
    var rows: [Row] = []
    var (i, j) = (0, 0)
    while i < old.count || j < new.count {
      if removed.contains(i) {
        rows.append(.removed(old[i]))
        i += 1
      } else if added.contains(j) {
        rows.append(.added(new[j]))
        j += 1
      } else {
        rows.append(.both(old[i]))
        (i, j) = (i + 1, j + 1)
      }
    }
    return rows
  }

  private static func offset(_ change: CollectionDifference<String>.Change) -> Int {
    switch change {
    case .insert(let offset, _, _), .remove(let offset, _, _): offset
    }
  }

  /// Lines with their ends, so that a missing last one shows.
  private static func split(_ text: String) -> [String] {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { String($0) + "\n" }
    let last = String(lines.removeLast().dropLast())
    return last.isEmpty ? lines : lines + [last]
  }

  /// What does not show by itself is spelt out: control characters, blanks at the end, the end of a text without a newline.
  private static func visible(_ line: String) -> String {
    let text = line.hasSuffix("\n") ? line.dropLast() : line[...]
    let isPlain = text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f } && text.last != " "
    return (isPlain ? String(text) : text.debugDescription) + (line.hasSuffix("\n") ? "" : " (no newline at the end)")
  }
}
