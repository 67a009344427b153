import Foundation

/// Reads the tables of `Fixtures/semver`.
enum FixtureTables {
  static func load<Value: Decodable>(_ type: Value.Type, _ name: String) -> Value {
    do {
      let url = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/semver/\(name).json")
      return try JSONDecoder().decode(type, from: Data(contentsOf: url))
    } catch {
      preconditionFailure("fixture \(name): \(error)")
    }
  }
}
