import BoundedConcurrency
import BuildModel
import CanonicalJSON

extension IndexDocument {
  /// The document as ``CanonicalJSON/readable(_:)`` writes it, with the device types encoded at the same time: of a night of real feeds it has 50 MB.
  ///
  /// `records` has canonical reports that are at hand already. Blocks the calling thread.
  package func text(records: [Slug: [UInt8]] = [:]) throws(JSONProblem) -> [UInt8] {
    var empty = self
    empty.deviceTypes = []
    let frame = try CanonicalJSON.readable(empty)
    // A text in JSON holds no newline, so this can only be the member itself.
    let member = Array("\n  \"deviceTypes\" : [".utf8)
    guard !deviceTypes.isEmpty, let start = frame.firstRange(of: member) else { return frame }
    guard let end = frame[start.upperBound...].firstIndex(of: UInt8(ascii: "]")) else { return frame }
    let entries = try deviceTypes.parallelMap { (report) throws(JSONProblem) in
      if let record = records[report.slug] { return CanonicalJSON.readable(canonical: record, depth: 2) }
      return CanonicalJSON.readable(canonical: try report.record(), depth: 2)
    }
    var text = Array(frame[..<start.upperBound])
    text.reserveCapacity(frame.count + entries.reduce(0) { $0 + $1.count + 6 } + 3)
    for (number, entry) in entries.enumerated() {
      text += (number > 0 ? ",\n    " : "\n    ").utf8
      text += entry
    }
    text += "\n  ".utf8
    return text + frame[end...]
  }
}
