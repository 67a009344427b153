import BlobStore
import BuildModel
import HTTP

/// Speaks to one registry (OCI Distribution specification; Docker Registry HTTP API V2), with one identity. Values are shared by all copies.
package struct RegistryClient: Sendable {
  package struct Settings: Sendable {
    /// nil: http for loopback and hosts that the HTTP client may speak to without TLS, else https.
    package var scheme: HTTPURL.Scheme?
    /// Larger blobs are sent in requests of this size; nil: in one.
    package var chunkSize: Int64?
    /// Blobs up to this size are sent in one request, without a way to continue.
    package var smallBlob: Int64 = 1 << 20
    /// Transfers of one push or pull at once.
    package var blobsAtOnce = 4
    /// Who may see the credential besides the registry itself.
    package var tokenServices = TokenServices()
    package init() {}
  }

  package let registry: RegistryName
  let http: HTTPClient
  let settings: Settings
  let root: HTTPURL
  let tokens: RegistryTokens
  let placement = BlobPlacement()

  package init(_ registry: RegistryName, http: HTTPClient, credential: RegistryCredential = .anonymous, settings: Settings = Settings())
    throws(HTTPError)
  {
    self.registry = registry
    self.http = http
    self.settings = settings
    let plain = try registry.origin(.http)
    let isPlain = plain.isLoopback || http.settings.allowsPlain(plain.origin.host)
    root = try registry.origin(settings.scheme ?? (isPlain ? .http : .https))
    var services = settings.tokenServices
    if registry.text == "docker.io" { services.origins.insert(try HTTPURL("https://auth.docker.io/").origin) }
    tokens = RegistryTokens(http: http, root: root, credential: credential, services: services)
  }

  func url(_ repository: RepositoryName, _ path: String) throws(HTTPError) -> HTTPURL { try root.resolving("/v2/\(repository)/\(path)") }

  /// Runs one request with what the registry wants to see. A refused token is renewed once.
  func authorized<Value>(
    _ request: HTTPRequest, _ scopes: Set<RegistryScope>, _ send: (HTTPRequest) async throws -> Value
  ) async throws -> Value {
    // An upload may be sent elsewhere by its Location: what is ours stays with the registry.
    guard request.url.origin == root.origin else { return try await send(request) }
    var request = request
    request.authorization = await tokens.authorization(for: scopes)
    do {
      return try await send(request)
    } catch HTTPError.status(let answer) where answer.status == 401 && answer.url.origin == root.origin {
      let refused = request.authorization
      guard let renewed = try await tokens.renewed(answer.challenges, scopes: scopes, refused: refused, at: answer.url) else {
        throw HTTPError.status(answer)
      }
      request.authorization = renewed
      return try await send(request)
    }
  }

  func send(_ request: HTTPRequest, _ scopes: Set<RegistryScope>, accepting: Set<Int> = []) async throws -> HTTPResponse {
    try await authorized(request, scopes) { try await http.send($0, accepting: accepting, bodyLimit: 1 << 20) }
  }

  /// Adds to an error what it is about.
  func about<Value>(_ repository: RepositoryName, _ subject: String, _ body: () async throws -> Value) async throws -> Value {
    do {
      return try await body()
    } catch let error as HTTPError {
      throw RegistryError(
        registry: registry, repository: repository, subject: subject, cause: error, withheldFrom: await tokens.withheldFrom)
    }
  }
}
