import TestGolden
import Testing

extension Golden {
  /// Compares what a value says of itself, most often an error, as a whole line.
  static func checkDescription(
    _ name: String, _ value: (some CustomStringConvertible)?, replacing: [String: String] = [:],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let text = try #require(value, sourceLocation: sourceLocation).description + "\n"
    try check(name, text, replacing: replacing, sourceLocation: sourceLocation)
  }
}
