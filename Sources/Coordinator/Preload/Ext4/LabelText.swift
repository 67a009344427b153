/// The text of a label, as it is stored.
enum LabelText {
  /// Up to the first zero byte, without blanks at its end; nil for what is empty or not printable ASCII.
  static func read(_ bytes: ArraySlice<UInt8>) -> String? {
    var trimmed = bytes.prefix { $0 != 0 }
    while trimmed.last == 32 { trimmed.removeLast() }
    guard !trimmed.isEmpty, trimmed.allSatisfy({ $0 >= 32 && $0 < 127 }) else { return nil }
    return String(decoding: trimmed, as: UTF8.self)
  }
}
