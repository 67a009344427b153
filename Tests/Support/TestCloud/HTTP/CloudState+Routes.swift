import HTTPTypes

extension CloudState {
  /// Every path of the API. What is none of them is 404 with an empty body.
  mutating func route(_ request: CloudRequest, now: CloudDate) throws(CloudRefusal) -> CloudReply {
    let path = request.path.split(separator: "/").map(String.init)
    if configuration.isStrict, !request.parameters("apikey").isEmpty || !request.parameters("token").isEmpty {
      throw .invalid("strict: no credentials in URLs.")
    }
    switch (request.method, path.first ?? "", path.count) {
    case (.get, "ping", 1): return .text("OK")
    case (_, "storage", 3...): return try storage(request, Array(path.dropFirst()), now: now)
    case (_, let name, 2...):
      if let version = APIVersion(rawValue: name) {
        let rest = request.path.drop { $0 == "/" }.dropFirst(name.count + 1)
        return try odata(request, rest, version, now: now)
      }
      return try account(request, path, now: now)
    case (_, _, 1): return try account(request, path, now: now)
    default: throw .notFound
    }
  }

  private mutating func account(_ request: CloudRequest, _ path: [String], now: CloudDate) throws(CloudRefusal) -> CloudReply {
    switch (request.method, path.joined(separator: "/")) {
    case (.post, "login_"): return try login(request, now: now)
    case (.post, "auth/totp/verify"):
      let code = try request.object()["code"]?.string ?? ""
      return .text(try accounts.token(completing: request.credential, code: code, now: now))
    case (.get, "actor/v1/whoami"): return .json(try whoIs(request, now: now, isActor: true))
    case (.get, "user/v1/whoami"): return .json(try whoIs(request, now: now, isActor: false))
    case (.get, "whoami"): return try refreshed(request, now: now)
    case (.get, "user/v1/refresh-token"), (.post, "user/v1/refresh-token"): return try refreshed(request, now: now)
    case (.post, "api-key/user/full"): return try newKey(request, now: now)
    case (.get, "auth/v1/token"): return try registryToken(request, now: now)
    default: throw .notFound
    }
  }

  private mutating func login(_ request: CloudRequest, now: CloudDate) throws(CloudRefusal) -> CloudReply {
    let body = try request.object()
    let name = body["username"]?.string ?? ""
    try accounts.countLogin(name, from: request.address, now: now)
    return .text(try accounts.login(name, body["password"]?.string ?? "", now: now))
  }

  private func whoIs(_ request: CloudRequest, now: CloudDate, isActor: Bool) throws(CloudRefusal) -> JSONValue {
    guard let user = try accounts.principal(request.credential, now: now).user else { throw .unauthorized }
    let names: [String: JSONValue] = ["username": .string(user.username), "email": .string(user.email)]
    let ids: [String: JSONValue] =
      isActor ? ["id": .integer(user.actor), "actorType": "user", "actorTypeId": .integer(user.id)] : ["id": .integer(user.id)]
    return .object(names.merging(ids) { one, _ in one })
  }

  /// A newer token for a session; with the password, its login counts as done now.
  private mutating func refreshed(_ request: CloudRequest, now: CloudDate) throws(CloudRefusal) -> CloudReply {
    guard case .user(let user, .session(let authenticated)) = try accounts.principal(request.credential, now: now) else { throw .unauthorized }
    guard request.method == .post, let password = try request.object()["password"]?.string else {
      return .text(accounts.token(for: user, authenticated: authenticated, now: now))
    }
    guard password == user.password else { throw .unauthorized }
    return .text(accounts.token(for: user, authenticated: now, now: now))
  }

  /// Keys are made by a session whose password was given within 20 minutes.
  private mutating func newKey(_ request: CloudRequest, now: CloudDate) throws(CloudRefusal) -> CloudReply {
    switch try accounts.principal(request.credential, now: now) {
    case .guest: throw .unauthorized
    case .user(_, .apiKey): throw .forbidden
    case .user(let user, .session(let authenticated)):
      guard authenticated.adding(seconds: 20 * 60) > now else { throw .unauthorized }
      guard let name = try request.object()["name"]?.string, !name.isEmpty else { throw .invalid("An API key needs a name.") }
      return .json(.string(accounts.makeKey(for: user.id)))
    }
  }
}
