import BuildModel

/// What blockfarm must know of a registry to fetch images of compositions from it: an entry of `registries` in farm.yaml. Registries without an entry are
/// asked anonymously and over https.
package struct RegistryConfiguration: Hashable, Sendable {
  /// Host, and port if there is one, as references name it.
  package var name: String
  package var account: Account?
  /// Speak http where it is not loopback.
  package var allowsPlainHTTP = false
  /// The address of the service that gives tokens for the registry and may see the account's password; nil: only the registry's own host.
  package var tokenService: String?
  /// PEM file that replaces the system's certificate authorities, an absolute path.
  package var authorities: String?

  package struct Account: Hashable, Sendable {
    package var username: String
    package var password: CredentialSource
    package init(username: String, password: CredentialSource) {
      self.username = username
      self.password = password
    }
  }

  package init(name: String) { self.name = name }
}
