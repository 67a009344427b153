import FoundationEssentials

/// The files in `Fixtures/` beside a test.
package struct Fixtures: Sendable {
  /// Without a slash at the end.
  package let directory: String

  /// Those beside the file that says so.
  package init(beside file: String = #filePath) {
    directory = URL(filePath: file).deletingLastPathComponent().appending(path: "Fixtures").path
  }

  package func path(_ name: String) -> String { "\(directory)/\(name)" }

  package func bytes(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(filePath: path(name)))) }

  /// A JSON document. One that cannot be read ends the tests: the arguments of tests come from such tables.
  package func load<Value: Decodable>(_ type: Value.Type, _ name: String) -> Value {
    do {
      return try JSONDecoder().decode(type, from: Data(try bytes(name)))
    } catch {
      preconditionFailure("fixture \(path(name)): \(error)")
    }
  }
}
