import CanonicalJSON

/// What a server says in the body of a refusal, cut and without control characters.
package struct ServerMessage: Hashable, Sendable {
  /// Codes of a registry's error list (Distribution specification, "Error codes"), for example `BLOB_UNKNOWN`.
  package private(set) var codes: [String] = []
  /// For people; empty where the body says nothing.
  package private(set) var text: String

  /// The longest text that is kept, in characters.
  static let limit = 500

  private struct ErrorList: Decodable {
    struct Entry: Decodable {
      var code: String?
      var message: String?
    }
    var errors: [Entry]
  }
  private struct Described: Decodable {
    var message: String?
    var details: String?
    var error: String?
  }

  /// Understands a JSON string, a registry's error list, and an object with `message`, `details` or `error`; anything else is taken as text.
  init(_ body: [UInt8], redaction: Redaction) {
    if let list = try? CanonicalJSON.decode(ErrorList.self, from: body), !list.errors.isEmpty {
      codes = list.errors.prefix(16).compactMap(\.code).map { Self.clean($0, limit: 64) }
      text = list.errors.prefix(4).map { [$0.code, $0.message].compactMap { $0 }.joined(separator: ": ") }.joined(separator: "; ")
    } else if let string = try? CanonicalJSON.decode(String.self, from: body) {
      text = string
    } else if let object = try? CanonicalJSON.decode(Described.self, from: body), let said = object.message ?? object.details ?? object.error {
      text = said
    } else {
      text = String(decoding: body, as: UTF8.self)
    }
    text = Self.clean(redaction.clean(text), limit: Self.limit)
  }

  private static func clean(_ text: String, limit: Int) -> String {
    let words = text.unicodeScalars.prefix(4 * limit).split { $0.value <= 32 || (0x7F...0x9F).contains($0.value) || $0.value == 0xFFFD }
    return String(words.map { String($0) }.joined(separator: " ").prefix(limit))
  }
}
