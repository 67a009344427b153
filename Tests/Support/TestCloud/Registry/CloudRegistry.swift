import TestFiles
import TestPeers

/// The real docker-registry behind the cloud's, which takes the tokens that the API signs.
enum CloudRegistry {
  /// Starts it and waits until it listens. Tokens for `service` come from `realm`.
  static func start(in directory: String, realm: String, service: String, signer: RegistryTokenSigner) async throws -> DockerRegistry {
    let certificate = directory + "/root.pem"
    try write(Array(signer.certificate.utf8), to: certificate)
    let issuer = RegistryTokenSigner.issuer
    let authentication = "{token: {realm: \"\(realm)\", service: \"\(service)\", issuer: \"\(issuer)\", rootcertbundle: \"\(certificate)\"}}"
    do {
      return try await blocking { try DockerRegistry(in: directory, authentication: authentication) }
    } catch let error as PeerError {
      throw TestCloudError.registryNotReady(output: error.description)
    }
  }
}
