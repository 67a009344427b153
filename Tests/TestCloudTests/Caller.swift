import HTTPTypes
import NIOCore
import TestCloud

/// Calls a cloud with one credential, and gives status and body.
struct Caller {
  let cloud: TestCloud
  var credential: String?
  var version = "v7"

  struct Answer {
    var status: Int
    var headers: HTTPFields
    var text: String
    var json: JSONValue { JSONValue(parsing: text.utf8) ?? .null }
    /// The rows of a collection.
    var rows: [JSONValue] { json["d"].array ?? [] }
    var id: Int { json["id"].int ?? -1 }
  }

  func send(_ method: HTTPRequest.Method, _ target: String, headers: HTTPFields = [:], body: ByteBuffer = ByteBuffer()) async throws -> Answer {
    var headers = headers
    if let credential, headers[.authorization] == nil { headers[.authorization] = "Bearer \(credential)" }
    // Blanks cannot be in a request line.
    let target = target.split(separator: " ", omittingEmptySubsequences: false).joined(separator: "%20")
    let reply = try await LoopbackClient.send(port: cloud.port, method, target, headers: headers, body: body)
    return Answer(status: reply.status, headers: reply.headers, text: String(buffer: reply.body))
  }

  func send(_ method: HTTPRequest.Method, _ target: String, _ json: JSONValue) async throws -> Answer {
    try await send(method, target, headers: [.contentType: "application/json"], body: ByteBuffer(string: json.text))
  }

  /// Below the version's path.
  func get(_ target: String) async throws -> Answer { try await send(.get, "/\(version)/\(target)") }
  func delete(_ target: String) async throws -> Answer { try await send(.delete, "/\(version)/\(target)") }
  func post(_ target: String, _ json: JSONValue) async throws -> Answer { try await send(.post, "/\(version)/\(target)", json) }
  func patch(_ target: String, _ json: JSONValue) async throws -> Answer { try await send(.patch, "/\(version)/\(target)", json) }

  static func admin(_ cloud: TestCloud) async throws -> Caller {
    let body: JSONValue = ["username": .string(cloud.accounts.admin.email), "password": .string(cloud.accounts.admin.password)]
    let token = try await Caller(cloud: cloud).send(.post, "/login_", body).text
    return Caller(cloud: cloud, credential: token)
  }

  static func developer(_ cloud: TestCloud) -> Caller { Caller(cloud: cloud, credential: cloud.accounts.developer.apiKey) }
  static func outsider(_ cloud: TestCloud) -> Caller { Caller(cloud: cloud, credential: cloud.accounts.outsider.apiKey) }

  // MARK: - What most tests need

  func application(_ name: String = "test-app", organization: Int = 1) async throws -> Int {
    try await post("application", ["app_name": .string(name), "is_for__device_type": 1, "organization": .integer(organization)]).id
  }

  func releaseBody(_ application: Int, commit: String = "0123456789abcdef0123456789abcdef", _ more: [String: JSONValue] = [:]) -> JSONValue {
    .object(
      [
        "belongs_to__application": .integer(application), "commit": .string(commit), "composition": ["services": ["main": ["image": "x"]]],
        "status": "running", "source": "local", "start_timestamp": "2026-01-02T03:04:05.678Z", "is_final": false,
      ].merging(more) { $1 })
  }

  func release(_ application: Int, commit: String = "0123456789abcdef0123456789abcdef", _ more: [String: JSONValue] = [:]) async throws -> Int {
    try await post("release", releaseBody(application, commit: commit, more)).id
  }

  /// An image of a new service in a release, in state running.
  func image(_ application: Int, _ release: Int, service: String = "main") async throws -> (id: Int, location: String, releaseImage: Int) {
    let serviceID = try await post("service", ["application": .integer(application), "service_name": .string(service)]).id
    let image = try await post(
      "image", ["is_a_build_of__service": .integer(serviceID), "status": "running", "start_timestamp": "2026-01-02T03:04:05.678Z"])
    let part = try await post("image__is_part_of__release", ["is_part_of__release": .integer(release), "image": .integer(image.id)])
    return (image.id, image.json["is_stored_at__image_location"].string ?? "", part.id)
  }
}

extension Caller {
  /// A multipart body of parts: name, file name or nil for a text, content.
  func form(_ method: HTTPRequest.Method, _ target: String, _ parts: [(String, String?, String)]) async throws -> Answer {
    let boundary = "boundary-of-a-test"
    var body = ""
    for (name, filename, content) in parts {
      body += "--\(boundary)\r\nContent-Disposition: form-data; name=\"\(name)\""
      if let filename { body += "; filename=\"\(filename)\"\r\nContent-Type: text/plain" }
      body += "\r\n\r\n\(content)\r\n"
    }
    body += "--\(boundary)--\r\n"
    return try await send(
      method, "/\(version)/\(target)", headers: [.contentType: "multipart/form-data; boundary=\(boundary)"], body: ByteBuffer(string: body))
  }
}
