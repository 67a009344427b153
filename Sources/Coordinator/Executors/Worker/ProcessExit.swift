import FoundationEssentials

/// How a worker verb's process ended.
package struct ProcessExit: Hashable, Sendable {
  /// nil when a signal ended it.
  package let status: Int32?
  /// Without `SIG`, for example `KILL`; nil when it exited by itself.
  package let signal: String?
  /// The last 8 KiB of its standard error, control characters replaced.
  package let standardError: String

  package init(status: Int32?, signal: String?, standardError: String) {
    self.status = status
    self.signal = signal
    self.standardError = standardError
  }

  package var isSuccess: Bool { status == 0 && signal == nil }

  /// A part of a sentence: `ended with status 3`.
  package var reason: String {
    if let signal { return "was ended by signal \(signal)" }
    return "ended with status \(status.map { String($0) } ?? "unknown")"
  }
}

/// The last bytes of an output that nobody may let grow.
struct OutputTail {
  private var bytes: [UInt8] = []
  private let limit: Int

  init(limit: Int = 8 << 10) { self.limit = limit }

  mutating func append(_ piece: some Collection<UInt8>) {
    bytes.append(contentsOf: piece.suffix(limit))
    if bytes.count > 2 * limit { bytes.removeFirst(bytes.count - limit) }
  }

  /// Safe to show: what a terminal would obey is replaced, ends are trimmed.
  var text: String { Self.printable(bytes.suffix(limit)) }

  static func printable(_ bytes: some Sequence<UInt8>) -> String {
    let shown = bytes.map { byte -> UInt8 in
      byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\t") || (byte >= 32 && byte != 127) ? byte : UInt8(ascii: "?")
    }
    let end = shown.lastIndex { $0 > 32 }.map { $0 + 1 } ?? 0
    return String(decoding: shown[..<end].drop { $0 <= 32 }, as: UTF8.self)
  }
}
