import CCurl
import Glibc

/// An absolute http or https URL as libcurl reads it, without user, password or fragment.
///
/// libcurl's own parser is used, so that what is checked here is what the request goes to.
package struct HTTPURL: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  package enum Scheme: String, Hashable, Sendable { case http, https }

  /// Where a request goes: two URLs with one origin are answered by the same server.
  package struct Origin: Hashable, Sendable, CustomStringConvertible {
    package let scheme: Scheme
    package let host: String
    package let port: UInt16
    package var description: String { "\(scheme.rawValue)://\(host):\(port)" }
  }

  package let origin: Origin
  /// Percent-encoded, begins with `/`.
  package let path: String
  /// Without `?`, percent-encoded; nil where there is none.
  package let query: String?
  /// All of it, for libcurl.
  package let text: String

  package init(_ text: String) throws(HTTPError) { try self.init(parsing: text, against: nil) }

  /// What a reference in an answer of this URL (`Location`) means, absolute or relative.
  package func resolving(_ reference: String) throws(HTTPError) -> HTTPURL { try HTTPURL(parsing: reference, against: text) }

  /// The same URL with another query parameter at its end; name and value are encoded here.
  package func adding(_ name: String, _ value: String) -> HTTPURL {
    let parameter = Self.encode(name) + "=" + Self.encode(value)
    let query = query.map { $0.isEmpty || $0.hasSuffix("&") ? $0 + parameter : $0 + "&" + parameter } ?? parameter
    return HTTPURL(origin: origin, path: path, query: query)
  }

  /// Percent-encodes everything that RFC 3986 does not call unreserved.
  package static func encode(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var bytes: [UInt8] = []
    for byte in text.utf8 {
      switch byte {
      case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"): bytes.append(byte)
      default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// What an address in an answer of this URL means, absolute or relative, if that server may name it.
  ///
  /// For all that is asked because somebody else said so: upload locations, token realms, files of assets.
  package func naming(_ reference: String) throws(HTTPError) -> HTTPURL {
    let target = try resolving(reference)
    guard target.mayBeNamed(by: self) else {
      throw .invalidURL(target.description, reason: "it is given by \(origin), and \(target.origin.host) is this machine itself")
    }
    return target
  }

  /// Only what is on this machine may name an address on this machine: for another server, the coordinator would reach what that server cannot.
  func mayBeNamed(by source: HTTPURL) -> Bool { !isThisMachine || source.isThisMachine }

  /// Whether a request would stay on this machine: loopback under all its names, and the unspecified addresses, which Linux connects to loopback.
  private var isThisMachine: Bool {
    if isLoopback { return true }
    var host = origin.host[...]
    while host.hasSuffix(".") { host.removeLast() }
    if host == "localhost" || host.hasSuffix(".localhost") { return true }
    if host.hasPrefix("["), host.hasSuffix("]") { return Self.isThisMachine(ipv6: String(host.dropFirst().dropLast())) }
    var address = in_addr()
    guard inet_pton(AF_INET, String(host), &address) == 1 else { return false }
    return [0, 127].contains(UInt32(bigEndian: address.s_addr) >> 24)
  }

  /// `::`, `::1`, and IPv4 addresses of this machine that are written as IPv6 ones (RFC 4291 section 2.5.5.2).
  private static func isThisMachine(ipv6 text: String) -> Bool {
    var address = in6_addr()
    guard inet_pton(AF_INET6, String(text.prefix { $0 != "%" }), &address) == 1 else { return false }
    let bytes = withUnsafeBytes(of: address) { Array($0) }
    guard bytes[..<10].allSatisfy({ $0 == 0 }) else { return false }
    return bytes[10] == 0xFF && bytes[11] == 0xFF ? [0, 127].contains(bytes[12]) : bytes[10..<15].allSatisfy { $0 == 0 } && bytes[15] <= 1
  }

  /// Without the query, which may hold signatures and tokens.
  package var description: String { Self.withoutQuery(text) }
  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: []) }

  /// Whether the host is this machine by name or address (RFC 6761 `localhost`, 127.0.0.0/8, ::1).
  package var isLoopback: Bool {
    let host = origin.host
    if host == "localhost" || host == "[::1]" { return true }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
  }

  private init(origin: Origin, path: String, query: String?) {
    self.origin = origin
    self.path = path
    self.query = query
    let isDefault = origin.port == (origin.scheme == .https ? 443 : 80)
    text = "\(origin.scheme.rawValue)://\(origin.host)\(isDefault ? "" : ":\(origin.port)")\(path)\(query.map { "?" + $0 } ?? "")"
  }

  private init(parsing text: String, against base: String?) throws(HTTPError) {
    func refused(_ reason: String) -> HTTPError { .invalidURL(Self.withoutQuery(text), reason: reason) }
    guard text.utf8.count <= 8192, text.utf8.allSatisfy({ $0 > 32 && $0 != 127 }) else {
      throw refused("it is longer than 8,192 bytes or has blanks or control characters")
    }
    guard let handle = curl_url() else { throw refused("no memory") }
    defer { curl_url_cleanup(handle) }
    for piece in [base, text] {
      guard let piece else { continue }
      let code = curl_url_set(handle, CURLUPART_URL, piece, UInt32(CURLU_DISALLOW_USER))
      if code == CURLUE_USER_NOT_ALLOWED { throw .invalidURL("(withheld)", reason: "a user or password in a URL is not accepted") }
      guard code == CURLUE_OK else { throw refused(String(cString: curl_url_strerror(code))) }
    }
    func part(_ part: CURLUPart, flags: Int32 = 0) -> String? {
      var value: UnsafeMutablePointer<CChar>?
      guard curl_url_get(handle, part, &value, UInt32(flags)) == CURLUE_OK, let value else { return nil }
      defer { curl_free(value) }
      return String(cString: value)
    }
    guard let scheme = part(CURLUPART_SCHEME).flatMap({ Scheme(rawValue: $0.lowercased()) }) else {
      throw refused("only http and https are spoken")
    }
    guard let host = part(CURLUPART_HOST)?.lowercased(), !host.isEmpty,
      let port = part(CURLUPART_PORT, flags: CURLU_DEFAULT_PORT).flatMap({ UInt16($0) }), port > 0
    else { throw refused("it has no host, or port 0") }
    self.init(
      origin: Origin(scheme: scheme, host: host, port: port), path: part(CURLUPART_PATH) ?? "/", query: part(CURLUPART_QUERY))
  }

  private static func withoutQuery(_ text: String) -> String { String(text.prefix { $0 != "?" && $0 != "#" }.prefix(400)) }
}
