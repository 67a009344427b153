import BuildModel
import CoordinatorConfiguration
import FoundationEssentials
import HTTP
import Registry

/// One client per registry, made at its first use and kept for a request: its connections and tokens are shared by all device types.
package actor RegistryClients {
  /// For the registries that a cloud keeps its images in; they are asked with the cloud's credential.
  private let cloud: (access: RegistryAccess, registries: Set<RegistryName>)?
  /// Those that farm.yaml says something about; all others are asked anonymously.
  private let configured: [RegistryConfiguration]
  private let variables: [String: String]
  /// Gets a line for everything that is tried again.
  private let notice: @Sendable (String) -> Void
  private var http: HTTPClient?
  private var clients: [RegistryName: RegistryClient] = [:]

  package init(
    cloud: RegistryAccess? = nil, registries: Set<RegistryName> = [], configured: [RegistryConfiguration] = [],
    variables: [String: String] = CallerEnvironment.variables, notice: @escaping @Sendable (String) -> Void
  ) {
    self.cloud = cloud.map { ($0, registries) }
    self.configured = configured
    self.variables = variables
    self.notice = notice
  }

  package func client(for registry: RegistryName) async throws -> RegistryClient {
    if let cloud, cloud.registries.contains(registry) { return try await cloud.access.client(for: registry) }
    if let client = clients[registry] { return client }
    let client =
      if let found = configured.first(where: { $0.name == registry.text }) { try self.client(for: registry, found) } else {
        try RegistryClient(registry, http: shared())
      }
    clients[registry] = client
    return client
  }

  private var settings: HTTPSettings {
    var settings = HTTPSettings()
    settings.notice = notice
    return settings
  }

  private func shared() throws -> HTTPClient {
    let http = try http ?? HTTPClient(settings: settings)
    self.http = http
    return http
  }

  private func client(for registry: RegistryName, _ configuration: RegistryConfiguration) throws -> RegistryClient {
    var credential = RegistryCredential.anonymous
    if let account = configuration.account {
      credential = .basic(user: account.username, password: Secret(try account.password.read(environment: variables)))
    }
    var options = RegistryClient.Settings()
    if let service = configuration.tokenService { options.tokenServices.origins = [try HTTPURL(service).origin] }
    guard configuration.allowsPlainHTTP || configuration.authorities != nil else {
      return try RegistryClient(registry, http: shared(), credential: credential, settings: options)
    }
    var settings = settings
    settings.authorities = configuration.authorities
    if configuration.allowsPlainHTTP { settings.plainHTTP = .hosts([try HTTPURL("http://\(registry)/").origin.host]) }
    return try RegistryClient(registry, http: HTTPClient(settings: settings), credential: credential, settings: options)
  }
}
