import FoundationEssentials

/// What is refused before a decoder sees it.
struct DocumentLimits {
  let bytes: Int
  let depth: Int

  /// Counts brackets outside of texts; whether the document is JSON at all is for the decoder to find out.
  func refusal(of data: Data) -> JSONProblem.Kind? {
    guard data.count <= bytes else { return .tooLong(bytes: data.count, limit: bytes) }
    return data.withUnsafeBytes { document in
      var level = 0
      var isText = false
      var isEscaped = false
      for byte in document {
        // The decoder would take it for UTF-16 or UTF-32.
        if byte == 0 { return .invalid(reason: "is not UTF-8 text") }
        if isText {
          if isEscaped {
            isEscaped = false
          } else if byte == UInt8(ascii: "\\") {
            isEscaped = true
          } else if byte == UInt8(ascii: "\"") {
            isText = false
          }
          continue
        }
        switch byte {
        case UInt8(ascii: "\""): isText = true
        case UInt8(ascii: "["), UInt8(ascii: "{"):
          level += 1
          if level > depth { return .tooDeep(limit: depth) }
        case UInt8(ascii: "]"), UInt8(ascii: "}"): level -= 1
        default: break
        }
      }
      return nil
    }
  }
}
