import FoundationEssentials

/// The sha256 of some bytes, written `sha256:` and 64 lower-case hexadecimal digits.
///
/// The only algorithm in use; any other prefix is refused. Source of the form: OCI image-spec, descriptor.md, "Digests".
package struct Digest: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// The 64 hexadecimal digits without the algorithm prefix.
  package let hex: String

  /// Takes `sha256:<64 hex>`; nil when the text is anything else.
  package init?(_ text: String) {
    guard text.hasPrefix("sha256:") else { return nil }
    self.init(hex: String(text.dropFirst(7)))
  }

  /// Takes 64 lower-case hexadecimal digits; nil when the text is anything else.
  package init?(hex: String) {
    guard hex.utf8.count == 64, hex.utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) }) else {
      return nil
    }
    self.hex = hex
  }

  /// Takes the 32 bytes of a finished sha256 (for instance a `SHA256.Digest`); nil for any other count.
  package init?(bytes: some Sequence<UInt8>) {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    text.reserveCapacity(64)
    for byte in bytes {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    guard text.count == 64 else { return nil }
    hex = String(decoding: text, as: UTF8.self)
  }

  package var description: String { "sha256:" + hex }

  /// The first twelve digits, for lines that people read.
  package var short: String { String(hex.prefix(12)) }

  package static func < (a: Digest, b: Digest) -> Bool { a.hex < b.hex }
}

extension Digest: Codable {
  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let digest = Digest(text) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a sha256 digest: \(text.prefix(80))")
    }
    self = digest
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
