import BuildModel
import FoundationEssentials
import HTTP

import struct Crypto.SHA256

/// A bucket of an S3 service (Amazon S3 API reference, 2006-03-01), addressed by path, signed by libcurl.
package struct ObjectStore: Sendable {
  /// Who may read an object: a canned ACL.
  package enum Access: String, Hashable, Sendable {
    case publicRead = "public-read"
    case privateToOwner = "private"
  }

  package let http: HTTPClient
  let endpoint: HTTPURL
  package let bucket: String
  /// Larger files are sent in parts. One request may carry 5 GiB, but what breaks off begins anew.
  package var largestSingle: Int64 = 1 << 30
  /// At least 5 MiB; larger where there would be more than 10,000 (Amazon S3 user guide, "multipart upload limits").
  package var part: Int64 = 256 << 20
  private let region: String
  private let accessKey: String
  private let secretKey: Secret

  package init(http: HTTPClient, endpoint: HTTPURL, bucket: String, region: String, accessKey: String, secretKey: Secret) throws(PublishingError) {
    let isName = bucket.utf8.allSatisfy { (48...57).contains($0) || (97...122).contains($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") }
    guard (3...63).contains(bucket.utf8.count), isName else {
      throw .invalid(what: "bucket '\(bucket)'", reason: "a name has 3 to 63 lower-case letters, digits, '-' and '.'")
    }
    self.http = http
    self.endpoint = endpoint
    self.bucket = bucket
    self.region = region
    self.accessKey = accessKey
    self.secretKey = secretKey
  }

  /// What is known of an object without its content.
  package struct Entry: Hashable, Sendable {
    package var size: Int64?
    /// As ``put(file:_:at:access:)`` noted it; nil for objects of other programs.
    package var digest: Digest?
  }

  static let digestField = "x-amz-meta-sha256"
  /// Of one list; S3 puts 1,000 keys on a page where it can.
  private static let mostPages = 1_000

  /// The content of a small object; nil where there is none.
  package func get(_ key: RelativePath, limit: Int = 4 << 20) async throws -> [UInt8]? {
    let response = try await http.send(try request(.get, key), accepting: [404], bodyLimit: limit)
    return response.status == 404 ? nil : response.body
  }

  /// The content of a small object with its tag, by which a later write can see that nobody changed it meanwhile; nil where there is none.
  func tagged(_ key: RelativePath) async throws -> (bytes: [UInt8], tag: String?)? {
    let response = try await http.send(try request(.get, key), accepting: [404])
    return response.status == 404 ? nil : (response.body, response.fields["ETag"])
  }

  package func head(_ key: RelativePath) async throws -> Entry? {
    let response = try await http.send(try request(.head, key), accepting: [404])
    guard response.status != 404 else { return nil }
    return Entry(
      size: response.fields["Content-Length"].flatMap { Int64($0) },
      digest: response.fields[Self.digestField].flatMap { Digest(hex: $0) })
  }

  package func put(_ bytes: [UInt8], at key: RelativePath, access: Access) async throws {
    let digest = try Self.digest(of: bytes)
    _ = try await http.send(try request(.put, key, body: .bytes(bytes), digest: digest, access: access, contentType: "text/plain"))
  }

  /// Writes a small object unless another one is there than `old`: nil, none; else the tag of what is replaced. A service that knows no conditions writes
  /// anyway, and a repeated try may be told that the first one was there before: what is there is to be read afterwards.
  func put(_ bytes: [UInt8], at key: RelativePath, access: Access, replacing old: String?) async throws {
    var request = try request(.put, key, body: .bytes(bytes), digest: Self.digest(of: bytes), access: access, contentType: "text/plain")
    request.fields[old == nil ? "If-None-Match" : "If-Match"] = old ?? "*"
    // Not there any more, changed at this moment, another one, conditions are not implemented.
    let response = try await http.send(request, accepting: [404, 409, 412, 501])
    if response.status == 501 { try await put(bytes, at: key, access: access) }
  }

  /// Sends a file whose digest is known: the service refuses other content.
  package func put(file path: String, _ blob: BlobDescriptor, at key: RelativePath, access: Access) async throws {
    guard blob.size <= largestSingle else { return try await putInParts(file: path, blob, at: key, access: access) }
    _ = try await http.send(
      try request(
        .put, key, body: .file(path: path, offset: 0, length: blob.size), digest: blob.digest, access: access, contentType: ContentType.of(key)))
  }

  package func delete(_ key: RelativePath) async throws { _ = try await http.send(try request(.delete, key), accepting: [404]) }

  /// All keys below a prefix, in order. The "folders" that consoles and mounting programs make (objects whose key ends with `/`) are not among them.
  package func keys(below prefix: String) async throws -> [String] {
    var keys: [String] = []
    var token: String?
    // A page may be short or have no keys at all, so that their number alone ends nothing.
    var seen: Set<String> = []
    repeat {
      // In the order of their names: that is how they are signed.
      var url = try endpoint.resolving("/\(bucket)")
      if let token { url = url.adding("continuation-token", token) }
      url = url.adding("list-type", "2").adding("prefix", prefix)
      let response = try await http.send(signed(HTTPRequest(.get, url), try Self.digest(of: [])))
      let page = try ObjectListing(response.body, from: response.url)
      keys += page.keys.filter { !$0.hasSuffix("/") }
      token = page.next
      guard keys.count <= 100_000 else { throw PublishingError.unexpected(what: prefix, found: "over 100,000 objects", expected: "a deploy tree") }
      if let token, !seen.insert(token).inserted || seen.count > Self.mostPages {
        throw HTTPError.decoding(
          url: response.url, what: "list of objects", reason: seen.count > Self.mostPages ? "it has no end" : "it goes on where it was before")
      }
    } while token != nil
    return keys
  }

  private func request(
    _ method: HTTPRequest.Method, _ key: RelativePath, body: HTTPRequest.Body = .none, digest: Digest? = nil, access: Access? = nil,
    contentType: String? = nil
  ) throws -> HTTPRequest {
    var request = HTTPRequest(method, try url(of: key), body: body)
    if let access { request.fields["x-amz-acl"] = access.rawValue }
    if let contentType { request.fields["Content-Type"] = contentType }
    if let digest { request.fields[Self.digestField] = digest.hex }
    return signed(request, try digest ?? Self.digest(of: []))
  }

  func url(of key: RelativePath) throws(HTTPError) -> HTTPURL {
    try endpoint.resolving("/\(bucket)/" + key.text.split(separator: "/").map { HTTPURL.encode(String($0)) }.joined(separator: "/"))
  }

  /// `payload` is the digest of the request's body.
  func signed(_ request: HTTPRequest, _ payload: Digest) -> HTTPRequest {
    var request = request
    request.authorization = .awsSignature(
      AWSSignature(accessKey: accessKey, secretKey: secretKey, region: region, service: "s3", payload: .digest(payload)))
    return request
  }

  static func digest(of bytes: [UInt8]) throws(PublishingError) -> Digest {
    guard let digest = Digest(bytes: SHA256.hash(data: bytes)) else { throw .invalid(what: "content", reason: "it has no digest") }
    return digest
  }
}
