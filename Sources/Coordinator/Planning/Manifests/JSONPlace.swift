import CanonicalJSON

/// Where in a JSON file something is, for errors that name file and line.
enum JSONPlace {
  static func error(_ problem: JSONProblem, in bytes: [UInt8], file: String) -> PlanningError {
    if case .syntax(let line, let reason) = problem.kind { return .unreadable(file: file, line: line, reason: "is not JSON: \(reason)") }
    var keys: [String] = []
    // Of a list only the beginning is looked for.
    for case .key(let key) in problem.path.components.prefix(while: { if case .key = $0 { true } else { false } }) { keys.append(key) }
    if problem.kind == .missing, keys.count == problem.path.components.count { keys.removeLast() }
    return .unreadable(file: file, line: line(ofKeys: keys, in: bytes), reason: "\(problem)")
  }

  /// The first line that begins with the key; for `yocto.machine` the first one after that of `yocto`. nil where no line begins so.
  static func line(ofKey key: String, in bytes: [UInt8]) -> Int? { line(ofKeys: key.split(separator: ".").map(String.init), in: bytes) }

  private static func line(ofKeys keys: [String], in bytes: [UInt8]) -> Int? {
    var parts = keys.map { Array("\"\($0)\"".utf8) }[...]
    for (index, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
      guard let wanted = parts.first else { return nil }
      guard line.drop(while: { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }).starts(with: wanted) else { continue }
      parts = parts.dropFirst()
      if parts.isEmpty { return index + 1 }
    }
    return nil
  }
}
