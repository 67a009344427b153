import BuildModel
import Cloud
import CoordinatorConfiguration
import FoundationEssentials
import Publishing

/// One environment, opened: what to publish to, and as whom.
package struct CloudSession: Sendable {
  /// What it is opened for.
  package enum Purpose: Hashable, Sendable {
    /// A guest will do.
    case reading
    /// Needs a token.
    case changing
    /// Needs a token, and the bucket where the environment has one.
    case publishing
  }

  package let target: PublishTarget
  package let registry: RegistryAccess
  /// The deploy tree's bucket; only of a session for publishing, nil where the environment has none.
  package let storage: ObjectStore?

  /// Reads the environment's secrets and prepares the clients; nothing is sent yet. Of `registries` it takes which may be spoken to without TLS.
  package init(
    _ environment: CloudEnvironment, for purpose: Purpose, registries: [RegistryConfiguration],
    variables: [String: String] = ProcessInfo.processInfo.environment
  ) throws(FarmError) {
    guard environment.token != nil || purpose == .reading else {
      throw .usage(
        "environment '\(environment.name)' has no token; name it in farm.yaml: environments: {\(environment.name): {token: env:NAME}} (or file:PATH)")
    }
    storage = purpose == .publishing ? try environment.objectStore(variables: variables) : nil
    do {
      let token = try environment.token.map { (source) throws(ConfigurationError) in Secret(try source.read(environment: variables)) }
      let api = try HTTPURL(environment.api)
      var settings = HTTPSettings()
      settings.authorities = environment.authorities
      let plain = try registries.filter(\.allowsPlainHTTP).map { try HTTPURL("http://\($0.name)/").origin.host }
      settings.plainHTTP = .hosts(Set(plain + (environment.allowsPlainHTTP ? [api.origin.host] : [])))
      let http = try HTTPClient(settings: settings)
      target = PublishTarget(
        client: BalenaClient(http: http, api: api, token: token), organization: environment.organization,
        team: environment.team.map { .init(name: $0, role: environment.role) })
      registry = RegistryAccess(http: http, api: api, token: token)
    } catch {
      throw .usage("\(error)")
    }
  }

  /// An application of the environment's organization, by its name or as `organization/name`.
  package func application(_ text: String) throws(FarmError) -> ApplicationName {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    do {
      switch parts.count {
      case 1: return try ApplicationName(organization: target.organization, name: parts[0])
      case 2: return try ApplicationName(organization: parts[0], name: parts[1])
      default: throw FarmError.usage("'\(text)' is not an application: name or organization/name")
      }
    } catch let error as FarmError {
      throw error
    } catch {
      throw .usage("\(error)")
    }
  }

  /// Says what the cloud said in the words of the farm: what does not exist is the caller's mistake, what cannot be reached is not.
  package func calling<Value: Sendable>(_ work: (CloudSession) async throws -> Value) async throws(FarmError) -> Value {
    do {
      return try await work(self)
    } catch let error as FarmError {
      throw error
    } catch is CancellationError {
      throw .cancelled
    } catch let error as PublishingError {
      throw .usage("\(error)")
    } catch {
      throw .farm("\(error)")
    }
  }
}

extension CloudEnvironment {
  /// The bucket of the deploy tree, with a client of its own; nil where the environment has none. Nothing is sent yet, but what could not be sent at all is
  /// refused: an upload comes last, hours after the build began.
  fileprivate func objectStore(variables: [String: String]) throws(FarmError) -> ObjectStore? {
    guard let storage else { return nil }
    do {
      let endpoint = try HTTPURL(storage.endpoint)
      if endpoint.origin.scheme == .http, !endpoint.isLoopback, !storage.allowsPlainHTTP {
        throw FarmError.usage(
          "the storage of environment '\(name)' is at \(storage.endpoint), and plain http is not allowed; use https, or write in farm.yaml: "
            + "environments: {\(name): {storage: {plainHTTP: true}}}")
      }
      var settings = HTTPSettings()
      settings.authorities = storage.authorities
      settings.plainHTTP = storage.allowsPlainHTTP ? .hosts([endpoint.origin.host]) : .loopbackOnly
      return try ObjectStore(
        http: HTTPClient(settings: settings), endpoint: endpoint, bucket: storage.bucket, region: storage.region,
        accessKey: storage.accessKey.read(environment: variables), secretKey: Secret(storage.secretKey.read(environment: variables)))
    } catch let error as FarmError {
      throw error
    } catch {
      throw .usage("\(error)")
    }
  }
}
