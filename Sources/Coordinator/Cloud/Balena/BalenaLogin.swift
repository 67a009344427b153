import BuildModel

/// Session tokens. They carry all rights of their user, where an API key has those of its fixed role only: making an application public or a host
/// application needs an administrator's session.
package enum BalenaLogin {
  private struct Credentials: Encodable {
    let username: String
    let password: String
  }

  /// Logs in with e-mail address (or user name) and password; nil when the server does not accept them. It blocks after ten wrong tries.
  package static func sessionToken(http: HTTPClient, api: HTTPURL, username: String, password: Secret) async throws -> Secret? {
    let request = HTTPRequest(
      .post, try api.resolving("/login_"), fields: ["Content-Type": "application/json"],
      body: .bytes(try WorkerProtocol.encode(Credentials(username: username, password: password.exposed))))
    let response = try await http.send(request, accepting: [401], bodyLimit: 64 << 10)
    guard response.status != 401 else { return nil }
    let text = String(decoding: response.body, as: UTF8.self)
    guard text.split(separator: ".").count == 3, text.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) else {
      throw CloudError.decoding(url: request.url, what: "session token", reason: "it is no JSON web token")
    }
    return Secret(text)
  }
}
