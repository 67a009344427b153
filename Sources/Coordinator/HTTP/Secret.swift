/// A text that must never be seen: password, token or key. Whatever prints or inspects it gets `<redacted>`; only ``exposed`` is the text.
package struct Secret: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// The text itself; for the one place that sends it.
  package let exposed: String

  package init(_ text: String) { exposed = text }

  package var description: String { Self.placeholder }
  package var debugDescription: String { Self.placeholder }
  package var customMirror: Mirror { Mirror(self, children: []) }

  static let placeholder = "<redacted>"
}

/// Takes secrets out of texts that somebody else wrote, for instance a server that repeats the token it refuses.
struct Redaction: Sendable {
  private let texts: [String]

  /// Texts of fewer than four characters are not looked for: they would tear holes into everything.
  init(_ secrets: some Sequence<Secret>) {
    texts = secrets.map(\.exposed).filter { $0.utf8.count >= 4 }.sorted { $0.utf8.count > $1.utf8.count }
  }

  func clean(_ text: String) -> String {
    texts.reduce(text) { $1.isEmpty ? $0 : $0.split(separator: $1, omittingEmptySubsequences: false).joined(separator: Secret.placeholder) }
  }
}
