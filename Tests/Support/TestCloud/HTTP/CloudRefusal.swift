/// The request is not carried out; nothing of it is kept.
package struct CloudRefusal: Error, Hashable, Sendable, CustomStringConvertible {
  package var status: Int
  /// Told as a JSON string; nil is an empty body.
  package var message: String?
  /// In whole seconds.
  package var retryAfter: Int?

  package var description: String { "\(status) \(message ?? "")" }

  /// A model rule, a value or a URL.
  static func invalid(_ message: String) -> CloudRefusal { CloudRefusal(status: 400, message: message) }
  /// Also what the server says to unknown resource names.
  static let unauthorized = CloudRefusal(status: 401)
  static let forbidden = CloudRefusal(status: 403)
  static let notFound = CloudRefusal(status: 404)
  static let tooLarge = CloudRefusal(status: 413, message: "request entity too large")
  /// Unknown field, missing field, a filter of the wrong type: the server's own trouble, without a text.
  static let broken = CloudRefusal(status: 500)

  static func tooMany(retryAfter: Int) -> CloudRefusal { CloudRefusal(status: 429, message: "Too Many Requests", retryAfter: retryAfter) }

  static func notUnique(_ fields: [String]) -> CloudRefusal {
    CloudRefusal(status: 409, message: fields.map { "\"\($0)\"" }.joined(separator: " and ") + " must be unique.")
  }
}
