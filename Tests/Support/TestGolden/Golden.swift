import FoundationEssentials
import Testing

/// Texts that people or other programs read, kept in `Golden/` beside the test.
///
/// `UPDATE_GOLDEN=1 swift test` writes them all anew; what changed is then seen in version control.
package enum Golden {
  private static let isUpdating = ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1"

  /// Compares a text with `Golden/<name>`; a name without an extension gets `.txt`. A text that differs is an issue that shows the lines.
  ///
  /// - Parameter replacing: words for the parts that differ from run to run. A longer part is replaced before a shorter one.
  package static func check(
    _ name: String, _ text: String, replacing: [String: String] = [:], testFile: String = #filePath,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let found = replacing.sorted { ($1.key.count, $0.key) < ($0.key.count, $1.key) }.reduce(text) { $0.replacing($1.key, with: $1.value) }
    let file = "Golden/" + (name.contains(".") ? name : name + ".txt")
    let url = URL(filePath: testFile).deletingLastPathComponent().appending(path: file)
    let expected = try? String(contentsOf: url, encoding: .utf8)
    if found == expected { return }
    if isUpdating {
      try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(found.utf8).write(to: url)
      return
    }
    guard let expected else {
      Issue.record("\(file) is not there; UPDATE_GOLDEN=1 writes it", sourceLocation: sourceLocation)
      return
    }
    let lines = TextDifference(from: expected, to: found).lines.joined(separator: "\n")
    Issue.record("\(file) has the lines with -, the test made those with + (UPDATE_GOLDEN=1 accepts them):\n\(lines)", sourceLocation: sourceLocation)
  }
}
