import BuildModel
import FoundationEssentials

/// One request. Values only; ``HTTPClient`` sends it.
package struct HTTPRequest: Sendable {
  package enum Method: String, Hashable, Sendable { case get = "GET", head = "HEAD", post = "POST", put = "PUT", patch = "PATCH", delete = "DELETE" }

  package enum Body: Sendable {
    case none
    case bytes([UInt8])
    /// A part of a file, read while it is sent; the file must not change meanwhile.
    case file(path: String, offset: Int64, length: Int64)

    var length: Int64 {
      switch self {
      case .none: 0
      case .bytes(let bytes): Int64(bytes.count)
      case .file(_, _, let length): length
      }
    }
  }

  /// Whether the request may be sent again when nobody knows if the server carried it out.
  package enum Repetition: Hashable, Sendable {
    /// Sending it twice has the effect of sending it once.
    case harmless
    /// Only what certainly was not carried out is sent again: no connection, or refused with 429.
    case never
  }

  package var method: Method
  package var url: HTTPURL
  package var fields: HTTPFields
  package var authorization: HTTPAuthorization?
  package var body: Body
  package var repetition: Repetition
  /// nil: the client's.
  package var timeouts: HTTPTimeouts?

  /// By default a POST is never repeated, and every other method is.
  package init(
    _ method: Method = .get, _ url: HTTPURL, fields: HTTPFields = [:], authorization: HTTPAuthorization? = nil, body: Body = .none,
    repetition: Repetition? = nil, timeouts: HTTPTimeouts? = nil
  ) {
    self.method = method
    self.url = url
    self.fields = fields
    self.authorization = authorization
    self.body = body
    self.repetition = repetition ?? (method == .post ? .never : .harmless)
    self.timeouts = timeouts
  }
}

/// What proves who asks. It goes to the origin of the request's own URL and nowhere else.
package enum HTTPAuthorization: Hashable, Sendable {
  case bearer(Secret)
  case basic(user: String, password: Secret)
  /// AWS Signature Version 4, made by libcurl.
  case awsSignature(AWSSignature)

  /// The value of the Authorization field; nil where libcurl makes it.
  var fieldValue: String? {
    switch self {
    case .bearer(let token): "Bearer " + token.exposed
    case .basic(let user, let password): "Basic " + Data("\(user):\(password.exposed)".utf8).base64EncodedString()
    case .awsSignature: nil
    }
  }

  /// Everything of it that must not be seen.
  var secrets: [Secret] {
    switch self {
    case .bearer(let token): [token]
    case .basic(_, let password): [password, Secret(String(fieldValue?.dropFirst(6) ?? ""))]
    case .awsSignature(let signature): [signature.secretKey] + (signature.sessionToken.map { [$0] } ?? [])
    }
  }
}

/// Keys and scope of an AWS signature.
package struct AWSSignature: Hashable, Sendable {
  package enum Payload: Hashable, Sendable {
    /// The sha256 of the request's body.
    case digest(Digest)
    /// The body is not part of the signature: only over TLS.
    case unsigned
  }
  package var accessKey: String
  package var secretKey: Secret
  package var sessionToken: Secret?
  package var region: String
  /// For example `s3`.
  package var service: String
  package var payload: Payload

  package init(accessKey: String, secretKey: Secret, sessionToken: Secret? = nil, region: String, service: String, payload: Payload) {
    self.accessKey = accessKey
    self.secretKey = secretKey
    self.sessionToken = sessionToken
    self.region = region
    self.service = service
    self.payload = payload
  }

  /// The fields that are signed with the request.
  var fields: HTTPFields {
    var fields = HTTPFields()
    switch payload {
    case .digest(let digest): fields.add("x-amz-content-sha256", digest.hex)
    case .unsigned: fields.add("x-amz-content-sha256", "UNSIGNED-PAYLOAD")
    }
    if let sessionToken { fields.add("x-amz-security-token", sessionToken.exposed) }
    return fields
  }
}
