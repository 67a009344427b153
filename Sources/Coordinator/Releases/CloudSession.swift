import Balena
import BuildModel
import CoordinatorConfiguration
import FoundationEssentials
import HTTP
import Publishing
import Registry

/// One cloud, opened: what to publish to, and as whom.
package struct CloudSession: Sendable {
  /// What it is opened for.
  package enum Purpose: Hashable, Sendable {
    /// A guest will do.
    case reading
    /// Needs a token.
    case changing
    /// Needs a token, and the bucket where the cloud has one.
    case publishing
  }

  package let target: PublishTarget
  package let registry: RegistryAccess
  /// The deploy tree's bucket; only of a session for publishing, nil where the cloud has none.
  package let storage: ObjectStore?

  /// Reads the cloud's secrets, prepares the clients, and logs in where the cloud has a login; else nothing is sent yet. Of `registries` it takes
  /// which may be spoken to without TLS. `notice` gets a line, without secrets, for everything that is tried again: minutes may pass before it goes on.
  package static func open(
    _ cloud: Cloud, for purpose: Purpose, registries: [RegistryConfiguration],
    variables: [String: String] = CallerEnvironment.variables, notice: @escaping @Sendable (String) -> Void
  ) async throws -> CloudSession {
    guard cloud.hasCredential || purpose == .reading else {
      throw ReleasesError.usage(
        "cloud '\(cloud.name)' has no token; name it in farm.yaml: environments: {\(cloud.name): {token: env:NAME}} (or file:PATH), or a login"
      )
    }
    // Before a login is spent on it: the server counts them.
    let storage = purpose == .publishing ? try cloud.objectStore(variables: variables, notice: notice) : nil
    let api = try HTTPURL(cloud.api)
    var settings = HTTPSettings()
    settings.notice = notice
    settings.authorities = cloud.authorities
    let plain = try registries.filter(\.allowsPlainHTTP).map { try HTTPURL("http://\($0.name)/").origin.host }
    settings.plainHTTP = .hosts(Set(plain + (cloud.allowsPlainHTTP ? [api.origin.host] : [])))
    let http = try HTTPClient(settings: settings)
    let token = try await cloud.credential(http: http, api: api, variables: variables)
    return CloudSession(
      target: PublishTarget(
        client: BalenaClient(http: http, api: api, token: token), organization: cloud.organization,
        team: cloud.team.map { .init(name: $0, role: cloud.role) }),
      registry: RegistryAccess(http: http, api: api, token: token), storage: storage)
  }

  /// An application of the cloud's organization, by its name or as `organization/name`.
  package func application(_ text: String) throws -> ApplicationName {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    switch parts.count {
    case 1: return try ApplicationName(organization: target.organization, name: parts[0])
    case 2: return try ApplicationName(organization: parts[0], name: parts[1])
    default: throw ReleasesError.usage("'\(text)' is not an application: name or organization/name")
    }
  }
}

extension Cloud {
  /// The token that the cloud names, or that of a new session; nil: a guest.
  fileprivate func credential(http: HTTPClient, api: HTTPURL, variables: [String: String]) async throws -> Secret? {
    if let token { return Secret(try token.read(environment: variables)) }
    guard let login else { return nil }
    let (username, password) = (
      try login.username.read(environment: variables), Secret(try login.password.readPassword(environment: variables))
    )
    do {
      guard let token = try await BalenaLogin.sessionToken(http: http, api: api, username: username, password: password) else {
        throw ReleasesError.usage(
          "cloud '\(name)': \(api.origin) does not accept the login; check its username and password (\(login.password)). "
            + "After ten wrong tries it refuses all for an hour")
      }
      return token
    } catch BalenaLogin.Refusal.secondFactor {
      throw ReleasesError.usage(
        "cloud '\(name)': the login's account has a second factor, and nobody is there to type its code; use a token instead: "
          + "environments: {\(name): {token: env:NAME}}")
    } catch let refusal as BalenaLogin.Refusal {
      throw ReleasesError.cloud("cloud '\(name)': \(api.origin) cannot be logged in to: \(refusal)")
    } catch let error as HTTPError {
      throw error.blame == .cloud ? ReleasesError.cloud("cloud '\(name)': \(error)") : ReleasesError.farm("cloud '\(name)': \(error)")
    }
  }

  /// The bucket of the deploy tree, with a client of its own; nil where the cloud has none. Nothing is sent yet, but what could not be sent at all is
  /// refused: an upload comes last, hours after the build began.
  fileprivate func objectStore(variables: [String: String], notice: @escaping @Sendable (String) -> Void) throws -> ObjectStore? {
    guard let storage else { return nil }
    let endpoint = try HTTPURL(storage.endpoint)
    if endpoint.origin.scheme == .http, !endpoint.isLoopback, !storage.allowsPlainHTTP {
      throw ReleasesError.usage(
        "the storage of cloud '\(name)' is at \(storage.endpoint), and plain http is not allowed; use https, or write in farm.yaml: "
          + "environments: {\(name): {storage: {plainHTTP: true}}}")
    }
    var settings = HTTPSettings()
    settings.notice = notice
    settings.authorities = storage.authorities
    settings.plainHTTP = storage.allowsPlainHTTP ? .hosts([endpoint.origin.host]) : .loopbackOnly
    return try ObjectStore(
      http: HTTPClient(settings: settings), endpoint: endpoint, bucket: storage.bucket, region: storage.region,
      accessKey: storage.accessKey.read(environment: variables), secretKey: Secret(storage.secretKey.read(environment: variables)))
  }
}
