/// The last bytes of an output that nobody may let grow.
package struct OutputTail: Sendable {
  private var bytes: [UInt8] = []
  private let limit: Int

  /// `limit` in bytes.
  package init(limit: Int = 8 << 10) { self.limit = limit }

  package mutating func append(_ piece: some Collection<UInt8>) {
    bytes.append(contentsOf: piece.suffix(limit))
    if bytes.count > 2 * limit { bytes.removeFirst(bytes.count - limit) }
  }

  /// Safe to show: what a terminal would obey is replaced, ends are trimmed.
  package var text: String { Self.printable(bytes.suffix(limit)) }

  /// Text of a foreign program: control characters but newlines and tabs are replaced, blanks at its ends are left out.
  package static func printable(_ bytes: some Sequence<UInt8>) -> String {
    let shown = String(decoding: Array(bytes), as: UTF8.self).unicodeScalars.map { scalar -> Unicode.Scalar in
      // C1 controls (U+0080 to U+009F) are commands for terminals, too.
      let isShown = scalar == "\n" || scalar == "\t" || (scalar.value >= 32 && !(127..<160).contains(scalar.value))
      return isShown ? scalar : "?"
    }
    let end = shown.lastIndex { $0.value > 32 }.map { $0 + 1 } ?? 0
    return String(String.UnicodeScalarView(shown[..<end].drop { $0.value <= 32 }))
  }
}
