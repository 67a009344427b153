import BuildModel
import Cloud
import CoordinatorConfiguration
import FoundationEssentials
import Publishing

/// One environment, opened: what to publish to, and as whom.
package struct CloudSession: Sendable {
  package let target: PublishTarget
  package let registry: RegistryAccess
  let http: HTTPClient

  /// Reads the environment's token and prepares the clients; nothing is sent yet. Of `registries` it takes which may be spoken to without TLS.
  ///
  /// `reading`: an environment without a token is read as a guest; else that is refused.
  package init(
    _ environment: CloudEnvironment, reading: Bool, registries: [RegistryConfiguration],
    variables: [String: String] = ProcessInfo.processInfo.environment
  ) throws(FarmError) {
    guard environment.token != nil || reading else {
      throw .usage(
        "environment '\(environment.name)' has no token; name it in farm.yaml: environments: {\(environment.name): {token: env:NAME}} (or file:PATH)")
    }
    do {
      let token = try environment.token.map { (source) throws(ConfigurationError) in Secret(try source.read(environment: variables)) }
      let api = try HTTPURL(environment.api)
      var settings = HTTPSettings()
      settings.authorities = environment.authorities
      let plain = try registries.filter(\.allowsPlainHTTP).map { try HTTPURL("http://\($0.name)/").origin.host }
      settings.plainHTTP = .hosts(Set(plain + (environment.allowsPlainHTTP ? [api.origin.host] : [])))
      http = try HTTPClient(settings: settings)
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
  /// The bucket of the deploy tree; nil where the environment has none.
  package func objectStore(http: HTTPClient, variables: [String: String] = ProcessInfo.processInfo.environment) throws(FarmError) -> ObjectStore? {
    guard let storage else { return nil }
    do {
      return try ObjectStore(
        http: http, endpoint: HTTPURL(storage.endpoint), bucket: storage.bucket, region: storage.region,
        accessKey: storage.accessKey.read(environment: variables), secretKey: Secret(storage.secretKey.read(environment: variables)))
    } catch {
      throw .usage("\(error)")
    }
  }
}
