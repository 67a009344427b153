import Foundation
import Testing

/// Documents that other programs read, kept in `Golden/`. `UPDATE_GOLDEN=1 swift test` writes them anew.
enum Golden {
  private static let directory = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden")

  static func check(_ name: String, _ text: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let file = directory.appending(path: name)
    if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
      try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
    }
    let expected = try String(contentsOf: file, encoding: .utf8)
    #expect(text == expected, "Golden/\(name)", sourceLocation: sourceLocation)
  }
}
