import TestGolden
import Testing

extension Golden {
  /// Compares what a program said about a farm; the farm's directory becomes a word.
  static func check(
    _ name: String, _ text: String, farm: SampleFarm, replacing: [String: String] = [:], sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    try check(name, text, replacing: replacing.merging([farm.directory: "<farm>"]) { own, _ in own }, sourceLocation: sourceLocation)
  }
}
