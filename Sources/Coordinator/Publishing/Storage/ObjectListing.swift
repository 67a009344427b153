import Cloud

/// One page of ListObjectsV2's answer. Reads only the elements that matter; they hold text and nothing else.
struct ObjectListing {
  private(set) var keys: [String] = []
  /// Where the next page begins; nil on the last one.
  private(set) var next: String?

  init(_ bytes: [UInt8], from url: HTTPURL) throws(CloudError) {
    func malformed(_ reason: String) -> CloudError { .decoding(url: url, what: "list of objects", reason: reason) }
    guard let text = String(validating: bytes, as: UTF8.self), text.contains("<ListBucketResult") else {
      throw malformed("it is no ListBucketResult")
    }
    var rest = text[...]
    while let content = Self.element("Contents", in: &rest) {
      var inner = content
      guard let key = Self.element("Key", in: &inner).flatMap({ Self.decoded($0) }) else { throw malformed("an object without a key") }
      keys.append(key)
    }
    var whole = text[...]
    let isCut = Self.element("IsTruncated", in: &whole) == "true"
    whole = text[...]
    next = Self.element("NextContinuationToken", in: &whole).flatMap { Self.decoded($0) }
    if isCut, next == nil { throw malformed("it is cut and does not say where it goes on") }
    if !isCut { next = nil }
  }

  /// The text of the next element of that name; `text` goes on behind it.
  private static func element(_ name: String, in text: inout Substring) -> Substring? {
    guard let start = text.firstRange(of: "<\(name)>"), let end = text[start.upperBound...].firstRange(of: "</\(name)>") else { return nil }
    let content = text[start.upperBound..<end.lowerBound]
    text = text[end.upperBound...]
    return content
  }

  private static let entities: [Substring: String] = ["amp": "&", "lt": "<", "gt": ">", "quot": "\"", "apos": "'"]

  /// Without XML's entities; nil for one that is not known.
  static func decoded(_ text: Substring) -> String? {
    var result = ""
    var rest = text
    while let ampersand = rest.firstIndex(of: "&") {
      result += rest[..<ampersand]
      guard let end = rest[ampersand...].firstIndex(of: ";") else { return nil }
      let name = rest[rest.index(after: ampersand)..<end]
      if let known = entities[name] {
        result += known
      } else if name.hasPrefix("#"), let scalar = number(name.dropFirst()).flatMap({ Unicode.Scalar($0) }) {
        result.unicodeScalars.append(scalar)
      } else {
        return nil
      }
      rest = rest[rest.index(after: end)...]
    }
    return result + rest
  }

  private static func number(_ text: Substring) -> UInt32? { text.hasPrefix("x") ? UInt32(text.dropFirst(), radix: 16) : UInt32(text) }
}
