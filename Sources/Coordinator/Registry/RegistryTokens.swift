import BuildModel
import CanonicalJSON
import FoundationEssentials
import HTTP

/// The identity that a registry is asked with.
package enum RegistryCredential: Hashable, Sendable {
  case anonymous
  /// For the registry itself or for its token service, whatever it asks for.
  case basic(user: String, password: Secret)
  /// For the token service only, as balenaCloud takes its keys and session tokens.
  case bearer(Secret)
}

/// The tokens of one registry: asked for when it demands them, kept until they run out, one request for all who wait for the same one.
actor RegistryTokens {
  private struct Grant {
    var scopes: Set<RegistryScope>
    var token: Secret
    /// Seconds since 1970.
    var expiry: Int64
  }
  private struct Answer: Decodable {
    var token: String?
    var access_token: String?
    var expires_in: Int64?
  }
  private struct Claims: Decodable {
    var exp: Double
    var iat: Double?
    var nbf: Double?
  }

  private let http: HTTPClient
  private let credential: RegistryCredential
  /// Where the registry itself is.
  private let root: HTTPURL
  private let services: TokenServices
  /// The token service that the registry named last and that must not see the credential; it was asked anonymously.
  private(set) var withheldFrom: HTTPURL.Origin?
  private var usesBasic = false
  private var grants: [Grant] = []
  private var pending: [Set<RegistryScope>: Task<Secret, any Error>] = [:]

  init(http: HTTPClient, root: HTTPURL, credential: RegistryCredential, services: TokenServices) {
    self.http = http
    self.root = root
    self.credential = credential
    self.services = services
  }

  /// What to send with a request, as far as it is known without asking anybody.
  func authorization(for scopes: Set<RegistryScope>) -> HTTPAuthorization? {
    if usesBasic, case .basic(let user, let password) = credential { return .basic(user: user, password: password) }
    let now = http.settings.time.now()
    grants.removeAll { $0.expiry <= now }
    return grants.last { RegistryScope.covers($0.scopes, scopes) }.map { .bearer($0.token) }
  }

  /// What to send after a request was refused with these challenges; nil: nothing better is there.
  func renewed(
    _ challenges: [String], scopes: Set<RegistryScope>, refused: HTTPAuthorization?, at url: HTTPURL
  ) async throws -> HTTPAuthorization? {
    if let current = authorization(for: scopes), current != refused { return current }
    if case .bearer(let token) = refused { grants.removeAll { $0.token == token } }
    for challenge in RegistryChallenge.parse(challenges) {
      switch challenge {
      case .basic:
        guard case .basic(let user, let password) = credential else { continue }
        let authorization = HTTPAuthorization.basic(user: user, password: password)
        if refused == authorization { continue }
        usesBasic = true
        return authorization
      case .bearer(let realm, let service, let asked):
        // The registry's own idea of a scope counts too, but only for what this request is about.
        let repositories = Set(scopes.map(\.repository))
        let wanted = RegistryScope.merged(Array(scopes) + asked.filter { repositories.contains($0.repository) })
        return .bearer(try await token(wanted, realm: try url.naming(realm), service: service))
      }
    }
    return nil
  }

  private func token(_ scopes: Set<RegistryScope>, realm: HTTPURL, service: String?) async throws -> Secret {
    if let task = pending[scopes] { return try await task.value }
    // Everybody who needs this token waits for it, so it must not end when the first of them is cancelled.
    let task = Task { try await fetch(scopes, realm: realm, service: service) }
    pending[scopes] = task
    defer { pending[scopes] = nil }
    return try await task.value
  }

  private func fetch(_ scopes: Set<RegistryScope>, realm: HTTPURL, service: String?) async throws -> Secret {
    var request = HTTPRequest(.get, realm)
    if let service { request.url = request.url.adding("service", service) }
    // One parameter each: balenaCloud ignores scopes that are joined by blanks.
    for scope in scopes.sorted(by: { $0.repository < $1.repository }) { request.url = request.url.adding("scope", "\(scope)") }
    let maySee = services.include(realm.origin, of: root.origin)
    withheldFrom = maySee || credential == .anonymous ? nil : realm.origin
    switch credential {
    case .basic(let user, let password) where maySee: request.authorization = .basic(user: user, password: password)
    case .bearer(let token) where maySee: request.authorization = .bearer(token)
    case .anonymous, .basic, .bearer: break
    }
    let response = try await http.send(request, bodyLimit: 1 << 20)
    guard let answer = try? CanonicalJSON.decode(Answer.self, from: response.body), let text = answer.token ?? answer.access_token, !text.isEmpty
    else { throw HTTPError.decoding(url: realm, what: "token answer", reason: "it is no JSON object with a token") }
    let token = Secret(text)
    // A day at most: what a service says is not to be trusted with arithmetic.
    let life = min(max(10, answer.expires_in ?? Self.life(ofToken: text) ?? 60), 86_400)
    grants.append(Grant(scopes: scopes, token: token, expiry: http.settings.time.now() + life - min(30, life / 5)))
    if grants.count > 64 { grants.removeFirst() }
    return token
  }

  /// Seconds that a JWT (RFC 7519) says it is good for; only a hint, nothing is verified.
  static func life(ofToken token: String) -> Int64? {
    let parts = token.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 3 else { return nil }
    var text = parts[1].map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 }
    while text.count % 4 != 0 { text.append("=") }
    guard let data = Data(base64Encoded: String(text)), let claims = try? CanonicalJSON.decode(Claims.self, from: data),
      let start = claims.iat ?? claims.nbf, claims.exp > start, claims.exp - start < 1e8
    else { return nil }
    return Int64(claims.exp - start)
  }
}
