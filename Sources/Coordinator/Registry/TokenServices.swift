import HTTP

/// The token services that may see a registry's credential. Every other one that a registry names is asked for an anonymous token.
package struct TokenServices: Hashable, Sendable {
  /// Whether services on the registry's own host are among them, at any port, but not without TLS where the registry has it.
  package var includesRegistry: Bool
  package var origins: Set<HTTPURL.Origin>

  package init(includesRegistry: Bool = true, origins: Set<HTTPURL.Origin> = []) {
    self.includesRegistry = includesRegistry
    self.origins = origins
  }

  func include(_ service: HTTPURL.Origin, of registry: HTTPURL.Origin) -> Bool {
    if origins.contains(service) { return true }
    return includesRegistry && service.host == registry.host && (service.scheme == .https || registry.scheme == .http)
  }
}
