import BuildModel
import CanonicalJSON
import FoundationEssentials
import HTTP

/// Session tokens. They carry all rights of their user, where an API key has those of its fixed role only: making an application public or a host
/// application needs an administrator's session.
package enum BalenaLogin {
  /// Why there is no token although name and password may be right. No text holds anything that the server said: it has just been told the password.
  package enum Refusal: BlamedError, Hashable {
    /// The token counts as a guest's until somebody types a code.
    case secondFactor
    case tooManyTries(retryAfter: String?)
    case status(Int)

    package var blame: Blame { self == .secondFactor ? .request : .cloud }

    package var description: String {
      switch self {
      case .secondFactor: "the account has a second factor"
      case .tooManyTries(let time): "there were too many logins\(time.map { ", try again after \($0)" } ?? "")"
      case .status(let status): "the login was answered \(status)"
      }
    }
  }

  private struct Credentials: Encodable {
    let username: String
    let password: String
  }

  private struct Claims: Decodable {
    let twoFactorRequired: Bool?
  }

  /// Logs in with e-mail address (or user name) and password; nil when the server does not accept them. It blocks after ten wrong tries, so that no answer
  /// is asked for twice.
  package static func sessionToken(http: HTTPClient, api: HTTPURL, username: String, password: Secret) async throws -> Secret? {
    let request = HTTPRequest(
      .post, try api.resolving("/login_"), fields: ["Content-Type": "application/json"],
      body: .bytes(try CanonicalJSON.encode(Credentials(username: username, password: password.exposed))))
    let response = try await http.send(request, accepting: Set(400..<600), bodyLimit: 64 << 10)
    switch response.status {
    case 401: return nil
    case 429: throw Refusal.tooManyTries(retryAfter: response.fields["Retry-After"].map { String($0.prefix(40)) })
    case 400...: throw Refusal.status(response.status)
    default: break
    }
    let text = String(decoding: response.body, as: UTF8.self)
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 3, text.utf8.allSatisfy({ $0 > 32 && $0 < 127 }), let payload = decoded(parts[1]),
      let claims = try? CanonicalJSON.decode(Claims.self, from: payload)
    else { throw HTTPError.decoding(url: request.url, what: "session token", reason: "it is no JSON web token") }
    if claims.twoFactorRequired == true { throw Refusal.secondFactor }
    return Secret(text)
  }

  /// Base64 with URL's letters and without padding (RFC 7515 section 2).
  private static func decoded(_ text: Substring) -> Data? {
    let usual = text.replacing("-", with: "+").replacing("_", with: "/")
    return Data(base64Encoded: usual + String(repeating: "=", count: (4 - usual.utf8.count % 4) % 4))
  }
}
