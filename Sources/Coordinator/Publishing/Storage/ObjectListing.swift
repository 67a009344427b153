import HTTP

/// One page of ListObjectsV2's answer. Reads only the elements that matter; they hold text and nothing else.
struct ObjectListing {
  private(set) var keys: [String] = []
  /// Where the next page begins; nil on the last one.
  private(set) var next: String?

  init(_ bytes: [UInt8], from url: HTTPURL) throws(HTTPError) {
    func malformed(_ reason: String) -> HTTPError { .decoding(url: url, what: "list of objects", reason: reason) }
    guard let text = String(validating: bytes, as: UTF8.self), text.contains("<ListBucketResult") else {
      throw malformed("it is no ListBucketResult")
    }
    var rest = text[...]
    while let content = XMLReading.element("Contents", in: &rest) {
      var inner = content
      guard let key = XMLReading.element("Key", in: &inner).flatMap({ XMLReading.decoded($0) }) else { throw malformed("an object without a key") }
      keys.append(key)
    }
    var whole = text[...]
    let isCut = XMLReading.element("IsTruncated", in: &whole) == "true"
    whole = text[...]
    next = XMLReading.element("NextContinuationToken", in: &whole).flatMap { XMLReading.decoded($0) }
    if isCut, next?.isEmpty != false { throw malformed("it is cut and does not say where it goes on") }
    if !isCut { next = nil }
  }
}
