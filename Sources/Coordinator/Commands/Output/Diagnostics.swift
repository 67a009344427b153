import CanonicalJSON
import Glibc

/// Everything that is no result goes to standard error.
enum Diagnostics {
  static func print(_ text: String) { write(text.hasSuffix("\n") ? text : text + "\n") }

  /// Writes without adding anything. Nothing can be done where standard error is gone.
  static func write(_ text: String) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
      if count <= 0 { return }
      bytes = bytes.dropFirst(count)
    }
  }

  static func error(_ text: String) { print("blockfarm: " + text) }
  static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }
}

/// Writes a listing as JSON to standard output: sorted keys, indented.
func printJSON(_ value: some Encodable) throws {
  try Results.print(String(decoding: try CanonicalJSON.readable(value), as: UTF8.self))
}
