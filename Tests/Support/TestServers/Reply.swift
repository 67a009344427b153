/// Answers of an HTTP server, as bytes.
package enum Reply {
  package static func bytes(_ status: Int, _ fields: [(String, String)] = [], body: [UInt8] = [], length: Int? = nil) -> [UInt8] {
    var head = "HTTP/1.1 \(status) Reason\r\n"
    for (name, value) in fields { head += "\(name): \(value)\r\n" }
    if !fields.contains(where: { $0.0 == "Transfer-Encoding" }), status != 204 { head += "Content-Length: \(length ?? body.count)\r\n" }
    return Array((head + "\r\n").utf8) + body
  }
  package static func send(_ status: Int, _ fields: [(String, String)] = [], _ text: String = "") -> [FaultServer.Step] {
    [.send(bytes(status, fields, body: Array(text.utf8)))]
  }
}
