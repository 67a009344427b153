import Foundation

/// Runs other programs to their end.
package enum Tool {
  /// The tests' environment, with the directories of administrators' programs in PATH.
  package static var environment: [String: String] {
    var variables = ProcessInfo.processInfo.environment
    variables["PATH"] = "\(variables["PATH"] ?? ""):/usr/sbin:/sbin:/usr/bin:/bin"
    return variables
  }

  /// Standard output as text. A status other than 0 is an error that holds what the program said.
  @discardableResult
  package static func run(_ words: String..., input: String? = nil, limit: Double = 120) throws -> String {
    try run(words, input: input, limit: limit)
  }

  /// Standard output as text. A status other than 0 is an error that holds what the program said.
  ///
  /// - Parameter environment: nil is ``environment``.
  /// - Parameter limit: seconds.
  @discardableResult
  package static func run(
    _ words: [String], input: String? = nil, environment: [String: String]? = nil, directory: String? = nil, limit: Double = 120
  ) throws -> String {
    String(
      decoding: try bytes(words, input: input.map { Array($0.utf8) }, environment: environment, directory: directory, limit: limit), as: UTF8.self)
  }

  /// Standard output as bytes, at most 64 MiB. A status other than 0 is an error.
  package static func bytes(
    _ words: [String], input: [UInt8]? = nil, environment: [String: String]? = nil, directory: String? = nil, limit: Double = 120
  ) throws -> [UInt8] {
    let last = try child(words, input, environment, directory, limit).ended()
    guard last.status == 0, !last.isCut else {
      let said = String(decoding: (last.output + last.errors).suffix(3000), as: UTF8.self)
      throw PeerError("\(words.joined(separator: " ")) \(last.isCut ? "printed too much" : "ended with \(last.status ?? -1)"): \(said)")
    }
    return Array(last.output)
  }

  /// How a program ended that may fail.
  package static func end(
    of words: [String], input: [UInt8]? = nil, environment: [String: String]? = nil, directory: String? = nil, limit: Double = 120
  ) throws -> Child.Ended {
    try child(words, input, environment, directory, limit).wait()
  }

  private static func child(
    _ words: [String], _ input: [UInt8]?, _ environment: [String: String]?, _ directory: String?, _ limit: Double
  ) throws -> Child {
    try Child(
      words, environment: environment ?? self.environment, directory: directory, input: input.map { .bytes($0) } ?? .nothing, limit: limit,
      outputLimit: 64 << 20)
  }
}
