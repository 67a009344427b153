/// Cuts a stream of bytes into lines; a line longer than 16 KiB comes in several pieces.
package struct OutputLines {
  private static let limit = 16384
  private var rest: [UInt8] = []

  package init() {}

  /// The lines that `bytes` completes, without newlines and carriage returns at their ends.
  package mutating func feed(_ bytes: UnsafeRawBufferPointer) -> [[UInt8]] {
    var lines: [[UInt8]] = []
    for byte in bytes {
      if byte == UInt8(ascii: "\n") {
        if rest.last == UInt8(ascii: "\r") { rest.removeLast() }
        lines.append(rest)
        rest.removeAll(keepingCapacity: true)
      } else {
        rest.append(byte)
        if rest.count == Self.limit {
          lines.append(rest)
          rest.removeAll(keepingCapacity: true)
        }
      }
    }
    return lines
  }

  /// What came after the last newline.
  package mutating func finish() -> [[UInt8]] {
    defer { rest = [] }
    return rest.isEmpty ? [] : [rest]
  }
}
