import BuildModel
import FoundationEssentials

/// Turns a decoding error into one that names file, line and what is wrong there.
enum JSONProblem {
  static func error(_ error: any Error, in bytes: [UInt8], file: String) -> PlanningError {
    func unreadable(_ line: Int?, _ reason: String) -> PlanningError { .unreadable(file: file, line: line, reason: reason) }
    guard let error = error as? DecodingError else { return unreadable(nil, "\(error)") }
    switch error {
    case .dataCorrupted(let context) where context.codingPath.isEmpty:
      var scanner = JSONSyntaxScanner(bytes)
      let problem = scanner.problem() ?? context.debugDescription
      return unreadable(scanner.line, "is not JSON: \(problem)")
    case .keyNotFound(let key, let context):
      let (place, line) = place(context.codingPath, in: bytes)
      return unreadable(line, "has no '\(place.isEmpty ? "" : place + ".")\(key.stringValue)'")
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      let (place, line) = place(context.codingPath, in: bytes)
      var found = context.debugDescription
      if let range = found.firstRange(of: "found ") { found = String(found[range.upperBound...]) }
      for end in [" instead.", " instead", "."] where found.hasSuffix(end) { found.removeLast(end.count) }
      return unreadable(line, "\(place.isEmpty ? "the document" : "'\(place)'") is \(found), which is not expected there")
    case .dataCorrupted(let context):
      let (place, line) = place(context.codingPath, in: bytes)
      return unreadable(line, "'\(place)': \(context.debugDescription)")
    @unknown default: return unreadable(nil, "\(error)")
    }
  }

  private static func place(_ path: [any CodingKey], in bytes: [UInt8]) -> (text: String, line: Int?) {
    let keys = path.filter { $0.intValue == nil }.map(\.stringValue).joined(separator: ".")
    return (keys, keys.isEmpty ? nil : line(ofKey: keys, in: bytes))
  }

  /// The first line that begins with the key; for `yocto.machine` the first one after that of `yocto`. nil where no line begins so.
  static func line(ofKey key: String, in bytes: [UInt8]) -> Int? {
    var parts = key.split(separator: ".").map { Array("\"\($0)\"".utf8) }[...]
    for (index, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
      guard let wanted = parts.first else { return nil }
      guard line.drop(while: { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }).starts(with: wanted) else { continue }
      parts = parts.dropFirst()
      if parts.isEmpty { return index + 1 }
    }
    return nil
  }
}
