import Foundation
import Testing

/// Reads the tables of `Fixtures/semver`.
enum FixtureTables {
  static func load<Value: Decodable>(_ type: Value.Type, _ name: String) -> Value {
    do {
      let url = try #require(Bundle.module.url(forResource: "Fixtures/semver/\(name)", withExtension: "json"))
      return try JSONDecoder().decode(type, from: Data(contentsOf: url))
    } catch {
      preconditionFailure("fixture \(name): \(error)")
    }
  }
}
