import BoundedConcurrency
import CanonicalJSON

extension IndexDocument {
  /// The document as `CanonicalJSON.readable` writes it, with the device types encoded at the same time: of a night of real feeds it has 50 MB.
  ///
  /// Blocks the calling thread.
  package func text() throws(JSONProblem) -> [UInt8] {
    var empty = self
    empty.deviceTypes = []
    let frame = try CanonicalJSON.readable(empty)
    // A text in JSON holds no newline, so this can only be the member itself.
    let member = Array("\n  \"deviceTypes\" : [".utf8)
    guard !deviceTypes.isEmpty, let start = frame.firstRange(of: member) else { return frame }
    guard let end = frame[start.upperBound...].firstIndex(of: UInt8(ascii: "]")) else { return frame }
    let entries = try deviceTypes.parallelMap { (report) throws(JSONProblem) in Self.indented(try CanonicalJSON.readable(report)) }
    var text = Array(frame[..<start.upperBound])
    text.reserveCapacity(frame.count + entries.reduce(0) { $0 + $1.count + 1 } + 3)
    for (number, entry) in entries.enumerated() {
      if number > 0 { text.append(UInt8(ascii: ",")) }
      text += entry
    }
    text += Array("\n  ".utf8)
    return text + frame[end...]
  }

  /// Each line two levels deeper, with a newline before it instead of after it.
  private static func indented(_ entry: [UInt8]) -> [UInt8] {
    let newline = UInt8(ascii: "\n")
    var lines: [UInt8] = []
    lines.reserveCapacity(entry.count + entry.count / 8)
    for line in entry.split(separator: newline, omittingEmptySubsequences: false).dropLast() {
      lines.append(newline)
      if !line.isEmpty { lines += [UInt8](repeating: UInt8(ascii: " "), count: 4) }
      lines += line
    }
    return lines
  }
}
