import HTTPTypes
import NIOCore

/// A whole reply.
package struct CloudReply: Sendable {
  package var status: Int
  package var headers: HTTPFields
  package var body: ByteBuffer

  package init(status: Int, headers: HTTPFields = [:], body: ByteBuffer = ByteBuffer()) {
    (self.status, self.headers, self.body) = (status, headers, body)
  }

  static func json(_ value: JSONValue, status: Int = 200) -> CloudReply {
    CloudReply(status: status, headers: [.contentType: "application/json; charset=utf-8"], body: ByteBuffer(string: value.text))
  }

  static func text(_ text: String) -> CloudReply {
    CloudReply(status: 200, headers: [.contentType: "text/plain; charset=utf-8"], body: ByteBuffer(string: text))
  }

  static func empty(_ status: Int = 200) -> CloudReply { CloudReply(status: status) }

  init(_ refusal: CloudRefusal) {
    self = refusal.message.map { CloudReply.json(.string($0), status: refusal.status) } ?? .empty(refusal.status)
    if let seconds = refusal.retryAfter { headers[.retryAfter] = String(seconds) }
  }
}
