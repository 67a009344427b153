import BuildModel
import Cloud
import Publishing

/// One client a registry, made at its first use and kept for a request: its connections and tokens are shared by all device types.
actor RegistryClients {
  /// For the registries that a cloud keeps its images in; they are asked with the cloud's credential, all others with none.
  private let cloud: (access: RegistryAccess, registries: Set<RegistryName>)?
  private var http: HTTPClient?
  private var clients: [RegistryName: RegistryClient] = [:]

  init(cloud: RegistryAccess? = nil, registries: Set<RegistryName> = []) { self.cloud = cloud.map { ($0, registries) } }

  func client(for registry: RegistryName) async throws -> RegistryClient {
    if let cloud, cloud.registries.contains(registry) { return try await cloud.access.client(for: registry) }
    if let client = clients[registry] { return client }
    let http = try http ?? HTTPClient()
    self.http = http
    let client = try RegistryClient(registry, http: http)
    clients[registry] = client
    return client
  }
}
