import Crypto
import NIOCore

/// A file before it has a place.
struct StoredAsset {
  var filename: String
  var contentType: String
  var bytes: ByteBuffer

  /// The server's cap on a whole file in one request.
  static let largest = 500_000_000

  init(filename: String, contentType: String, bytes: ByteBuffer) throws(CloudRefusal) {
    guard filename.count <= 255 else { throw .invalid("The filename has more than 255 characters.") }
    guard contentType.count <= 129 else { throw .invalid("The content type has more than 129 characters.") }
    (self.filename, self.contentType, self.bytes) = (filename, contentType, bytes)
  }

  init(_ file: MultipartForm.File) throws(CloudRefusal) {
    guard file.bytes.readableBytes <= Self.largest else { throw .invalid("The file has more than \(Self.largest) bytes.") }
    try self.init(filename: file.filename, contentType: file.contentType, bytes: file.bytes)
  }
}

/// The bytes of assets, and the links by which they are fetched without a credential.
struct AssetStore: Sendable {
  /// By the name of the object.
  private var objects: [String: (bytes: ByteBuffer, contentType: String)] = [:]
  var uploads: [String: ChunkedUpload] = [:]
  private let secret = SymmetricKey(size: .bits256)

  /// What the row's field holds; the link is made when somebody asks.
  mutating func keep(_ asset: StoredAsset) throws(CloudRefusal) -> JSONValue {
    let name = Randomness.uuid()
    objects[name] = (asset.bytes, asset.contentType)
    return [
      "filename": .string(asset.filename), "content_type": .string(asset.contentType), "size": .integer(asset.bytes.readableBytes),
      "object": .string(name),
    ]
  }

  func told(_ asset: JSONValue, url: String, seconds: Int, now: CloudDate) -> JSONValue {
    guard var members = asset.object, let name = members.removeValue(forKey: "object")?.string else { return .null }
    members["href"] = .string(link("object/\(name)", url: url, seconds: seconds, now: now))
    return .object(members)
  }

  /// A link that carries its own permission until it expires.
  func link(_ path: String, url: String, seconds: Int, now: CloudDate) -> String {
    let expires = now.adding(seconds: seconds).seconds
    return "\(url)/storage/\(path)?X-Expires=\(expires)&X-Signature=\(signature(path, expires))"
  }

  private func signature(_ path: String, _ expires: Int) -> String {
    HMAC<SHA256>.authenticationCode(for: Array("\(path) \(expires)".utf8), using: secret).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
      .joined()
  }

  /// 400 with a credential of another kind, 403 for a wrong or old link: as object stores do.
  func check(_ request: CloudRequest, _ path: String, now: CloudDate) throws(CloudRefusal) {
    guard request.headers[.authorization] == nil else {
      throw .invalid("Only one authentication mechanism is allowed: the link has one already.")
    }
    guard let expires = request.parameters("X-Expires").first.flatMap({ Int($0) }), expires > now.seconds,
      request.parameters("X-Signature").first == signature(path, expires)
    else { throw .forbidden }
  }

  func object(_ name: String) -> CloudReply? {
    objects[name].map { CloudReply(status: 200, headers: [.contentType: $0.contentType], body: $0.bytes) }
  }
}
