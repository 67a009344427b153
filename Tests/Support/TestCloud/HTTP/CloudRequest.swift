import FoundationEssentials
import HTTPTypes
import NIOCore

/// A whole request, its target still as it was written.
package struct CloudRequest: Sendable {
  package var method: HTTPRequest.Method
  package var path: String
  /// Without the question mark.
  package var query: String
  package var headers: HTTPFields
  package var body: ByteBuffer
  /// The client's address.
  package var address: String

  package init(
    method: HTTPRequest.Method, target: String, headers: HTTPFields = [:], body: ByteBuffer = ByteBuffer(), address: String = "127.0.0.1"
  ) {
    let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    self.method = method
    path = parts.first.map(String.init) ?? "/"
    query = parts.count == 2 ? String(parts[1]) : ""
    self.headers = headers
    self.body = body
    self.address = address
  }

  /// The values of a query parameter, percent-decoded, in order.
  func parameters(_ name: String) -> [String] {
    query.split(separator: "&").compactMap { pair in
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, parts[0] == name else { return nil }
      return String(parts[1].map { $0 == "+" ? " " : $0 }).removingPercentEncoding
    }
  }

  /// The bearer's credential, or that of the `apikey` parameter.
  var credential: String? { bearer ?? parameters("apikey").first }

  var bearer: String? { authorization("bearer") }

  /// What follows an authorization scheme, whose case does not matter.
  func authorization(_ scheme: String) -> String? {
    guard let value = headers[.authorization] else { return nil }
    let parts = value.split(separator: " ", maxSplits: 1)
    return parts.count == 2 && parts[0].lowercased() == scheme ? String(parts[1]) : nil
  }

  var contentType: String { headers[.contentType] ?? "" }

  /// The body as a JSON object.
  func object() throws(CloudRefusal) -> [String: JSONValue] {
    if body.readableBytes == 0 { return [:] }
    guard let value = JSONValue(parsing: body.readableBytesView)?.object else { throw .invalid("The body is no JSON object.") }
    return value
  }
}
