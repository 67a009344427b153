import HTTPTypes
import NIOCore
import Testing

@testable import TestCloud

@Suite struct AccountTests {
  @Test func whoAsks() async throws {
    try await withTestCloud(hasRegistry: false) { cloud in
      let admin = try await Caller.admin(cloud)
      let account = cloud.accounts.admin
      #expect(admin.credential?.contains(".") ?? false)
      let claims = try #require(JSONWebToken.claims(admin.credential ?? ""))
      #expect(
        claims["id"].int == account.id && claims["iat"].int != nil && claims["jwt_secret"].string != nil && claims["twoFactorRequired"] == .null)
      let actor = try await admin.send(.get, "/actor/v1/whoami")
      #expect(actor.status == 200 && actor.json["actorType"] == "user" && actor.json["actorTypeId"].int == account.id)
      let user = try await admin.send(.get, "/user/v1/whoami")
      #expect(user.json == ["id": .integer(account.id), "username": .string(account.username), "email": .string(account.email)])
      #expect(try await admin.send(.get, "/whoami").text.split(separator: ".").count == 3)
      #expect(try await Caller.developer(cloud).send(.get, "/user/v1/whoami").status == 200)
      for bad in [nil, "unknownkey", "a.b.c"] {
        let answer = try await Caller(cloud: cloud, credential: bad).send(.get, "/user/v1/whoami")
        #expect(answer.status == 401 && answer.text.isEmpty)
      }
      // The scheme's case does not matter; the parameter works as well.
      #expect(
        try await Caller(cloud: cloud).send(.get, "/user/v1/whoami", headers: [.authorization: "bEARER \(account.apiKey)"]).status == 200)
      #expect(try await Caller(cloud: cloud).send(.get, "/user/v1/whoami?apikey=\(account.apiKey)").status == 200)
      #expect(try await Caller(cloud: cloud).send(.get, "/ping").text == "OK")
      let unknown = try await admin.send(.get, "/no/such/path")
      #expect(unknown.status == 404 && unknown.text.isEmpty)
    }
  }

  @Test func unknownCredentialsAreGuests() async throws {
    try await withTestCloud(hasRegistry: false) { cloud in
      let admin = try await Caller.admin(cloud)
      let hidden = try await admin.application("hidden-app")
      let open = try await admin.application("open-app")
      #expect(try await admin.patch("application(\(open))", ["is_public": true]).status == 200)
      for credential in ["unknownkey", nil, "a.b.c"] {
        let guest = Caller(cloud: cloud, credential: credential)
        #expect(try await guest.get("application?$select=slug").rows == [["slug": "balena_os/open-app"]])
        #expect(try await guest.get("application(\(hidden))").rows == [])
        let written = try await guest.post("application_tag", ["application": .integer(open), "tag_key": "a", "value": "b"])
        #expect(written.status == 401 && written.text.isEmpty)
        #expect(try await guest.patch("application(\(open))", ["is_archived": true]).status == 401)
        #expect(try await guest.delete("application(\(open))").status == 401)
      }
      // Somebody else's application: reading what is public, writing nothing, and not being told.
      let outsider = Caller.outsider(cloud)
      #expect(try await outsider.get("application/$count").json == ["d": 1])
      #expect(try await outsider.patch("application(\(open))", ["is_archived": true]).status == 200)
      #expect(try await admin.get("application(\(open))?$select=is_archived").rows == [["is_archived": false]])
      #expect(try await outsider.post("service", ["application": .integer(open), "service_name": "x"]).status == 401)
      #expect(try await outsider.delete("application(\(open))").status == 404)
    }
  }

  @Test func sessionsEnd() async throws {
    try await withTestCloud(hasRegistry: false) { cloud in
      let admin = try await Caller.admin(cloud)
      _ = try await admin.application()
      await cloud.expireSessions()
      // An expired token reads as a guest's, a revoked one is refused.
      #expect(try await admin.get("application").rows == [])
      #expect(try await admin.send(.get, "/user/v1/whoami").status == 401)
      let again = try await Caller.admin(cloud)
      #expect(try await again.get("application/$count").json == ["d": 1])
      await cloud.engine.edit { $0.accounts.rotateSecret(of: cloud.accounts.admin.id) }
      let revoked = try await again.get("application")
      #expect(revoked.status == 401 && revoked.text.isEmpty)
    }
  }

  @Test func loginsAreCounted() async throws {
    try await withTestCloud(hasRegistry: false) { cloud in
      let caller = Caller(cloud: cloud)
      let account = cloud.accounts.admin
      func login(_ name: String, _ password: String) async throws -> Caller.Answer {
        try await caller.send(.post, "/login_", ["username": .string(name), "password": .string(password)])
      }
      let good = try await login(account.username, account.password)
      #expect(good.status == 200 && good.headers[.contentType]?.hasPrefix("text/plain") ?? false)
      for _ in 0..<9 {
        let bad = try await login(account.username, "")
        #expect(bad.status == 401 && bad.text.isEmpty)
      }
      let blocked = try await login(account.username, account.password)
      #expect(blocked.status == 429 && blocked.json == "Too Many Requests" && blocked.headers[.retryAfter] == "3600")
      #expect(try await login(cloud.accounts.developer.email, cloud.accounts.developer.password).status == 200)
    }
  }

  @Test func secondFactor() async throws {
    try await withTestCloud(hasRegistry: false) { cloud in
      let account = try await cloud.engine.edit {
        try $0.addAccount("careful", isAdmin: false, in: [1], secondFactor: "123456", now: CloudDate(milliseconds: 0))
      }
      let body: JSONValue = ["username": .string(account.username), "password": .string(account.password)]
      let partial = Caller(cloud: cloud, credential: try await Caller(cloud: cloud).send(.post, "/login_", body).text)
      #expect(JSONWebToken.claims(partial.credential ?? "")?["twoFactorRequired"] == true)
      #expect(try await partial.send(.get, "/user/v1/whoami").status == 401)
      #expect(try await partial.send(.post, "/auth/totp/verify", ["code": "000000"]).status == 401)
      let full = Caller(cloud: cloud, credential: try await partial.send(.post, "/auth/totp/verify", ["code": "123456"]).text)
      #expect(try await full.send(.get, "/user/v1/whoami").status == 200)
    }
  }

  @Test func keysAreMadeByFreshSessionsOnly() async throws {
    try await withTestCloud(hasRegistry: false) { cloud in
      let admin = try await Caller.admin(cloud)
      let key = try await admin.send(.post, "/api-key/user/full", ["name": "ci"]).json.string
      #expect(try await Caller(cloud: cloud, credential: key).send(.get, "/user/v1/whoami").status == 200)
      #expect(try await Caller.developer(cloud).send(.post, "/api-key/user/full", ["name": "ci"]).status == 403)
      let old = await cloud.engine.edit { state in
        let now = CloudDate(milliseconds: CloudDate(text: "2026-01-01T00:00:00Z")?.milliseconds ?? 0)
        return state.accounts.user(cloud.accounts.admin.id).map {
          state.accounts.token(for: $0, authenticated: now, now: now.adding(seconds: 1_000_000_000))
        }
      }
      #expect(try await Caller(cloud: cloud, credential: old).send(.post, "/api-key/user/full", ["name": "ci"]).status == 401)
    }
  }

  @Test(arguments: TestCloudConfiguration.AdminRefusal.allCases)
  func keysOfAdministratorsAreWeaker(_ refusal: TestCloudConfiguration.AdminRefusal) async throws {
    var configuration = TestCloudConfiguration()
    configuration.adminRefusal = refusal
    try await withTestCloud(configuration, hasRegistry: false) { cloud in
      let key = Caller(cloud: cloud, credential: cloud.accounts.admin.apiKey, version: "v6")
      let application = try await key.application("host-app")
      var session = try await Caller.admin(cloud)
      session.version = "v6"
      let bodies: [JSONValue] = [["is_public": true], ["is_host": true], ["is_of__class": "app"]]
      let fields = "application(\(application))?$select=is_public,is_host,is_of__class"
      for body in bodies {
        #expect(try await key.patch("application(\(application))", body).status == (refusal == .ignored ? 200 : 401))
      }
      #expect(try await key.get(fields).rows == [["is_public": false, "is_host": false, "is_of__class": "fleet"]])
      // Nor may the session of somebody else.
      let developer = cloud.accounts.developer
      let login: JSONValue = ["username": .string(developer.username), "password": .string(developer.password)]
      let other = Caller(cloud: cloud, credential: try await key.send(.post, "/login_", login).text, version: "v6")
      #expect(try await other.patch("application(\(application))", bodies[0]).status == (refusal == .ignored ? 200 : 401))
      #expect(try await key.get(fields).rows == [["is_public": false, "is_host": false, "is_of__class": "fleet"]])
      for body in bodies { #expect(try await session.patch("application(\(application))", body).status == 200) }
      #expect(try await key.get(fields).rows == [["is_public": true, "is_host": true, "is_of__class": "app"]])
      let grant: JSONValue = ["team": 1, "grants_access_to__application": .integer(application), "application_membership_role": 1]
      #expect(try await key.post("team_application_access", grant).status == 401)
      #expect(try await session.post("team_application_access", grant).status == 201)
      #expect(try await session.post("team_application_access", grant).status == 409)
    }
  }
}
