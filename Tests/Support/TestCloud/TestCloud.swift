import Foundation
import TestFiles

/// A running stand-in for balenaCloud: its API, and a real registry that takes this API's tokens.
package struct TestCloud: Sendable {
  /// For example `http://127.0.0.1:40123`, without a slash at the end.
  package let url: String
  package let port: Int
  /// `host:port` of the registry, as image locations begin; empty without a registry.
  package let registry: String
  /// Counts and faults of the requests to both.
  package let traffic: Traffic
  package let accounts: CloudState.SeededAccounts
  /// The state behind the API, for looking at it and changing it past all rules.
  package let engine: CloudEngine
  private let backend: RegistryBackend?

  fileprivate init(
    url: String, port: Int, registry: String, traffic: Traffic, accounts: CloudState.SeededAccounts, engine: CloudEngine, backend: RegistryBackend?
  ) {
    (self.url, self.port, self.registry, self.traffic) = (url, port, registry, traffic)
    (self.accounts, self.engine, self.backend) = (accounts, engine, backend)
  }

  /// Ends all registry tokens given out so far: the registry itself then says that they have expired.
  package func expireRegistryTokens() async { await backend?.expireTokens(now: CloudDate(Date())) }

  /// Ends all session tokens given out so far: their holders become guests.
  package func expireSessions() async { await engine.edit { $0.accounts.expireSessions(now: CloudDate(Date())) } }
}

/// Runs a test cloud on free ports of the loopback interface for as long as `body` runs; leaves nothing behind.
///
/// - Parameter hasRegistry: false leaves out the registry, and the second that its start takes.
/// - Throws: ``TestCloudError`` when it cannot be started; what `body` throws.
package func withTestCloud<Value>(
  _ configuration: TestCloudConfiguration = TestCloudConfiguration(), hasRegistry: Bool = true, _ body: (TestCloud) async throws -> Value
) async throws -> Value {
  let (state, accounts) = try CloudState.seeded(configuration, now: CloudDate(Date()))
  let engine = CloudEngine(state)
  let traffic = Traffic()
  return try await withThrowingTaskGroup(of: Void.self) { group in
    defer { group.cancelAll() }
    let server = APIServer(engine: engine, traffic: traffic, gzipFrom: configuration.gzipFrom)
    let port = try await Listener.start(in: &group, port: configuration.port, what: "API", server.respond)
    let url = "http://127.0.0.1:\(port)"
    await engine.edit { $0.publicURL = url }
    guard hasRegistry else {
      return try await body(
        TestCloud(url: url, port: port, registry: "", traffic: traffic, accounts: accounts, engine: engine, backend: nil))
    }
    let signer = try await RegistryTokenSigner.make()
    let backend = RegistryBackend(signer)
    let front = RegistryFront(traffic: traffic, backend: backend)
    let registry = "127.0.0.1:\(try await Listener.start(in: &group, port: 0, what: "registry", front.respond))"
    return try await withScratchDirectory { directory in
      let process = try await CloudRegistry.start(in: directory, realm: url + "/auth/v1/token", service: registry, signer: signer)
      defer { process.end() }
      await backend.use(process)
      await engine.edit {
        $0.registry = registry
        $0.signer = signer
        $0.hasManifest = process.hasManifest
      }
      return try await body(
        TestCloud(url: url, port: port, registry: registry, traffic: traffic, accounts: accounts, engine: engine, backend: backend))
    }
  }
}
