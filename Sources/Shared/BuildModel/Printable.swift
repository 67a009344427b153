import FoundationEssentials

/// Foreign text on a terminal: control characters, which could say anything to it, are written out.
package enum Printable {
  package static func text(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      let isControl: Bool =
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
      result += isControl ? "\\u{\(String(scalar.value, radix: 16))}" : String(scalar)
    }
    return result
  }

  /// A name in quotes, at most 200 bytes of it. Bytes that are no UTF-8 are replaced.
  package static func quoted(_ name: some Collection<UInt8>) -> String {
    "'\(text(String(decoding: name.prefix(200), as: UTF8.self)))\(name.count > 200 ? "…" : "")'"
  }

  package static func quoted(_ name: String) -> String { quoted(name.utf8) }
}
