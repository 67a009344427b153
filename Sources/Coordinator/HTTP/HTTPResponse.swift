/// What a server answered, with a body that was small enough to be kept.
package struct HTTPResponse: Sendable {
  package let status: Int
  package let fields: HTTPFields
  /// Empty where the body went to a sink.
  package let body: [UInt8]
  /// Where the answer came from, after redirects.
  package let url: HTTPURL

  package var isSuccess: Bool { (200...299).contains(status) }
}

/// Collects an answer's head from the lines that libcurl hands over, interim answers left out.
struct ResponseHead {
  private(set) var status = 0
  private(set) var fields = HTTPFields()
  /// True after the empty line of a final answer.
  private(set) var isComplete = false
  private var size = 0

  /// False when the head is larger than `limit` bytes.
  mutating func take(line bytes: UnsafeRawBufferPointer, limit: Int) -> Bool {
    size += bytes.count
    guard size <= limit else { return false }
    let line = String(decoding: bytes, as: UTF8.self).trimmedHTTPBlanks
    // Trailers after the body are counted and left alone.
    if isComplete { return true }
    if line.hasPrefix("HTTP/") {
      fields = HTTPFields()
      status = line.split(separator: " ", maxSplits: 2).dropFirst().first.flatMap { Int($0) } ?? 0
    } else if line.isEmpty {
      isComplete = status >= 200
    } else if let colon = line.firstIndex(of: ":") {
      fields.add(String(line[..<colon]), line[line.index(after: colon)...].trimmedHTTPBlanks)
    }
    return true
  }
}

extension StringProtocol {
  /// Without blanks, tabs and line ends around it.
  package var trimmedHTTPBlanks: String {
    let isBlank = { (byte: UInt8) in byte == 32 || byte == 9 || byte == 13 || byte == 10 }
    let bytes = Array(utf8)
    guard let first = bytes.firstIndex(where: { !isBlank($0) }), let last = bytes.lastIndex(where: { !isBlank($0) }) else { return "" }
    return String(decoding: bytes[first...last], as: UTF8.self)
  }
}
