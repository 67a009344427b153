import Foundation
import Testing

/// Texts that people read, kept in `Golden/`. `UPDATE_GOLDEN=1 swift test` writes them anew.
enum Golden {
  private static let directory = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden")

  /// Compares what an error says; `replacing` names parts that differ from run to run.
  static func check(
    _ name: String, _ value: (some CustomStringConvertible)?, replacing: [String: String] = [:],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    var text = try #require(value, sourceLocation: sourceLocation).description + "\n"
    for (part, word) in replacing { text = text.replacing(part, with: word) }
    let file = directory.appending(path: name + ".txt")
    if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
      try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
    }
    let expected = try String(contentsOf: file, encoding: .utf8)
    #expect(text == expected, "Golden/\(name).txt", sourceLocation: sourceLocation)
  }
}
