import BuildModel
import Cloud

/// One client a registry, made at its first use and kept for a request: its connections and tokens are shared by all device types.
actor RegistryClients {
  private var http: HTTPClient?
  private var clients: [RegistryName: RegistryClient] = [:]

  func client(for registry: RegistryName) throws -> RegistryClient {
    if let client = clients[registry] { return client }
    let http = try http ?? HTTPClient()
    self.http = http
    let client = try RegistryClient(registry, http: http)
    clients[registry] = client
    return client
  }
}
