import FoundationEssentials

/// The checkout that the tests were built from, and the programs that were built with them.
package enum Project {
  /// The checkout's directory: this file is four levels below it.
  package static let path = (0..<4).reduce(URL(filePath: #filePath)) { place, _ in place.deletingLastPathComponent() }.path

  /// Nobody built that program.
  package struct NotBuilt: Error, CustomStringConvertible {
    package var program: String
    package var places: [String]
    package var description: String { "\(program) is not built; it was looked for in \(places.joined(separator: ", "))" }
  }

  /// A program of this package: in the directory that BLOCKFARM_TEST_PROGRAMS names, or beside the test bundle that runs.
  package static func program(_ name: String) throws -> String {
    let running = [try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"), CommandLine.arguments[0]]
    let places =
      [ProcessInfo.processInfo.environment["BLOCKFARM_TEST_PROGRAMS"]].compactMap { $0 }
      + running.compactMap { $0 }.map { URL(filePath: $0).deletingLastPathComponent().path }
    guard let place = places.first(where: { FileManager.default.isExecutableFile(atPath: "\($0)/\(name)") }) else {
      throw NotBuilt(program: name, places: places)
    }
    return "\(place)/\(name)"
  }
}
