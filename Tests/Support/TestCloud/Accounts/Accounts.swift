import Crypto

/// Users, their API keys and session tokens.
package struct Accounts: Sendable {
  package private(set) var users: [CloudUser] = []
  /// User id by API key.
  private var keys: [String: Int] = [:]
  private let secret = SymmetricKey(size: .bits256)
  /// Tokens issued until then count as expired.
  private var expiredUntil = 0
  private var tries: [String: LoginTries] = [:]
  /// Logins by address and name before the address is shut out.
  var allowedLogins = 10

  private struct LoginTries {
    var since: CloudDate
    var count: Int
    var blockedUntil: CloudDate?
  }

  package mutating func add(_ user: CloudUser) { users.append(user) }

  package mutating func makeKey(for user: Int, _ key: String = Randomness.key()) -> String {
    keys[key] = user
    return key
  }

  package mutating func removeKey(_ key: String) { keys[key] = nil }

  package func user(_ id: Int) -> CloudUser? { users.first { $0.id == id } }

  /// Ends all sessions of a user: their tokens are refused with 401 from now on.
  package mutating func rotateSecret(of id: Int) {
    guard let index = users.firstIndex(where: { $0.id == id }) else { return }
    users[index].tokenSecret = Randomness.hex(bytes: 16)
  }

  /// Every token issued until now counts as expired: its holder is a guest.
  package mutating func expireSessions(now: CloudDate) { expiredUntil = now.milliseconds }

  // MARK: - Sessions

  package static let sessionSeconds = 7 * 24 * 3600

  /// A session token. `isPartial` is one that still lacks the second factor.
  package func token(for user: CloudUser, authenticated: CloudDate, now: CloudDate, isPartial: Bool = false) -> String {
    var claims: [String: JSONValue] = [
      "id": .integer(user.id), "jwt_secret": .string(user.tokenSecret), "authTime": .integer(authenticated.milliseconds),
      "iat": .integer(now.seconds), "exp": .integer(now.seconds + Self.sessionSeconds), "issued": .integer(now.milliseconds),
    ]
    if isPartial { claims["twoFactorRequired"] = true }
    return JSONWebToken.signed(.object(claims), secret: secret)
  }

  /// Whoever the credential belongs to. A text with dots is a session token, all else an API key.
  package func principal(_ credential: String?, now: CloudDate) throws(CloudRefusal) -> Principal {
    guard let credential else { return .guest }
    guard credential.contains(".") else {
      guard let user = keys[credential].flatMap({ self.user($0) }) else { return .guest }
      return .user(user, .apiKey)
    }
    guard let (user, claims) = try session(credential, now: now), claims["twoFactorRequired"] != true else { return .guest }
    return .user(user, .session(authenticated: CloudDate(milliseconds: claims["authTime"].int ?? 0)))
  }

  private func session(_ token: String, now: CloudDate) throws(CloudRefusal) -> (CloudUser, JSONValue)? {
    guard let claims = JSONWebToken.verified(token, secret: secret), let id = claims["id"].int, let user = user(id),
      let expiry = claims["exp"].int, expiry > now.seconds, claims["issued"].int ?? 0 > expiredUntil
    else { return nil }
    guard claims["jwt_secret"].string == user.tokenSecret else { throw .unauthorized }
    return (user, claims)
  }

  /// The full token for a partial one.
  package func token(completing partial: String?, code: String, now: CloudDate) throws(CloudRefusal) -> String {
    guard let partial, let (user, claims) = try session(partial, now: now), claims["twoFactorRequired"] == true,
      let expected = user.secondFactor, expected == code
    else { throw .unauthorized }
    return token(for: user, authenticated: now, now: now)
  }

  // MARK: - Login

  /// A session token for a name or an e-mail address with its password.
  package func login(_ name: String, _ password: String, now: CloudDate) throws(CloudRefusal) -> String {
    guard let user = users.first(where: { $0.username == name || $0.email == name }), user.password == password, !password.isEmpty else {
      throw .unauthorized
    }
    return token(for: user, authenticated: now, now: now, isPartial: user.secondFactor != nil)
  }

  /// Counts a try: 10 within two hours, then an hour of refusal.
  package mutating func countLogin(_ name: String, from address: String, now: CloudDate) throws(CloudRefusal) {
    let key = address + " " + name
    var entry = tries[key] ?? LoginTries(since: now, count: 0)
    if let blocked = entry.blockedUntil {
      guard blocked <= now else { throw .tooMany(retryAfter: max(1, (blocked.milliseconds - now.milliseconds + 999) / 1000)) }
      entry = LoginTries(since: now, count: 0)
    }
    if entry.since.adding(seconds: 2 * 3600) <= now { entry = LoginTries(since: now, count: 0) }
    entry.count += 1
    if entry.count > allowedLogins { entry.blockedUntil = now.adding(seconds: 3600) }
    tries[key] = entry
    if entry.blockedUntil != nil { throw .tooMany(retryAfter: 3600) }
  }
}

extension Accounts {
  /// Takes over the counted logins, and nothing else.
  mutating func keepTries(of other: Accounts) { tries = other.tries }
}
