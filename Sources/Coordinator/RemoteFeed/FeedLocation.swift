import HTTP

/// Where a feed is, as people write it: a directory, `file:///…`, or an http or https URL of the directory above the architectures.
package enum FeedLocation: Hashable, Sendable, CustomStringConvertible {
  case directory(String)
  case remote(HTTPURL)

  package init(_ text: String) throws(RemoteFeedError) {
    if let path = text.dropping(prefix: "file://") {
      // file://host/path names another machine's file.
      let local = path.dropping(prefix: "localhost") ?? path
      guard local.hasPrefix("/"), let decoded = String(local).removingPercentEncoding() else {
        throw .location(text, reason: "a file URL is written file:///absolute/path")
      }
      self = .directory(decoded)
    } else if text.contains("://") {
      do throws(HTTPError) { self = .remote(try HTTPURL(text)) } catch { throw .cloud(error) }
    } else if text.isEmpty {
      throw .location(text, reason: "it is empty")
    } else {
      self = .directory(text)
    }
  }

  package var description: String {
    switch self {
    case .directory(let path): path
    case .remote(let url): url.description
    }
  }
}

extension StringProtocol {
  fileprivate func dropping(prefix: String) -> SubSequence? { hasPrefix(prefix) ? dropFirst(prefix.count) : nil }

  /// nil for a broken escape, an escaped NUL or what is no UTF-8.
  fileprivate func removingPercentEncoding() -> String? {
    var bytes: [UInt8] = []
    var rest = Array(utf8)[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16), value != 0 else { return nil }
      bytes.append(value)
      rest = rest.dropFirst(2)
    }
    return String(validating: bytes, as: UTF8.self)
  }
}
