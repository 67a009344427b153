import Foundation
import Testing

/// Texts that people read, kept in `Golden/`. `UPDATE_GOLDEN=1 swift test` writes them anew.
enum Golden {
  private static let directory = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden")

  /// Compares what was said on standard error; names of scratch directories become words.
  static func check(
    _ name: String, _ text: String, farm: SampleFarm, replacing: [String: String] = [:], sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    var text = text.replacing(farm.directory, with: "<farm>")
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
