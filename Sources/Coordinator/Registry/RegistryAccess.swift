import BuildModel
import HTTP

/// The registries that a cloud's images are kept in: which they are is known only from the locations that the API gives.
package actor RegistryAccess {
  private let http: HTTPClient
  private let credential: RegistryCredential
  private let settings: RegistryClient.Settings
  private var clients: [RegistryName: RegistryClient] = [:]

  /// The credential goes to the API's own token service and nowhere else, whatever a registry asks for. Without a token
  /// public images can be pulled.
  package init(http: HTTPClient, api: HTTPURL, token: Secret?, settings: RegistryClient.Settings = RegistryClient.Settings()) {
    self.http = http
    credential = token.map { .bearer($0) } ?? .anonymous
    var settings = settings
    settings.tokenServices = TokenServices(includesRegistry: false, origins: [api.origin])
    self.settings = settings
  }

  package func client(for registry: RegistryName) throws(HTTPError) -> RegistryClient {
    if let client = clients[registry] { return client }
    let client = try RegistryClient(registry, http: http, credential: credential, settings: settings)
    clients[registry] = client
    return client
  }
}
