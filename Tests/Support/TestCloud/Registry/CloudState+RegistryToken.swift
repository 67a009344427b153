import FoundationEssentials

extension CloudState {
  /// `GET /auth/v1/token`: a token with those of the asked actions that the asking one is allowed. Denying some is no error.
  mutating func registryToken(_ request: CloudRequest, now: CloudDate) throws(CloudRefusal) -> CloudReply {
    guard let signer else { throw .notFound }
    let principal = try tokenPrincipal(request, now: now)
    let scopes = request.parameters("scope").compactMap { RegistryScope($0) }
    var access: [JSONValue] = []
    for scope in scopes {
      let allowed = actions(of: principal, scope, now: now)
      access.append([
        "type": "repository", "name": .string(scope.repository), "actions": .array(scope.actions.filter(allowed.contains).map { .string($0) }),
      ])
    }
    // Whatever the client calls the service, the token is for the registry.
    guard
      let token = try? signer.token(
        subject: principal.user?.username ?? "", audience: registry, access: .array(access), seconds: configuration.registryTokenSeconds, now: now)
    else { throw .broken }
    return .json(["token": .string(token)])
  }

  /// A bearer's credential, or any user's name with an API key; a wrong one is refused here instead of becoming a guest.
  private func tokenPrincipal(_ request: CloudRequest, now: CloudDate) throws(CloudRefusal) -> Principal {
    let credential: String
    if let basic = request.authorization("basic") {
      guard let text = Data(base64Encoded: basic).map({ String(decoding: $0, as: UTF8.self) }), let colon = text.firstIndex(of: ":") else {
        throw .unauthorized
      }
      credential = String(text[text.index(after: colon)...])
      // Session tokens work only as bearer.
      guard !credential.contains(".") else { throw .unauthorized }
    } else if let bearer = request.credential {
      credential = bearer
    } else {
      return .guest
    }
    let principal = try accounts.principal(credential, now: now)
    guard principal != .guest else { throw .unauthorized }
    return principal
  }

  private mutating func actions(of principal: Principal, _ scope: RegistryScope, now: CloudDate) -> Set<String> {
    guard let id = locations.image(scope.repository, database, seconds: configuration.locationCacheSeconds, now: now),
      let image = database.row("image", id)
    else { return [] }
    let rules = AccessRules(principal: principal, database: database)
    let resource = database.model["image"]
    return Set((rules.canRead(resource, image) ? ["pull"] : []) + (rules.canWrite(resource, image) ? ["push"] : []))
  }
}
