import Crypto
import FoundationEssentials
import TestPeers

/// Signs the tokens that the registry trusts: its root certificate is the one of this key.
struct RegistryTokenSigner: Sendable {
  /// In the tokens' `iss`, and in the registry's configuration.
  static let issuer = "test-cloud"

  let key: P256.Signing.PrivateKey
  /// PEM.
  let certificate: String

  /// Makes a key and a certificate for it, with openssl; neither touches the disk.
  static func make() async throws -> RegistryTokenSigner {
    let words = [
      "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "/dev/stdout", "-out",
      "/dev/stdout", "-days", "30", "-subj", "/CN=test-cloud",
    ]
    let output: String
    do {
      output = try await blocking { try Tool.run(words) }
    } catch {
      throw TestCloudError.tool(command: "openssl req", reason: String(describing: error))
    }
    guard let start = output.range(of: "-----BEGIN CERTIFICATE-----"), let key = try? P256.Signing.PrivateKey(pemRepresentation: Self.key(output))
    else { throw TestCloudError.tool(command: "openssl req", reason: "it gave no P-256 key and certificate; openssl 3 does") }
    return RegistryTokenSigner(key: key, certificate: String(output[start.lowerBound...]))
  }

  private static func key(_ output: String) -> String {
    guard let start = output.range(of: "-----BEGIN PRIVATE KEY-----"), let end = output.range(of: "-----END PRIVATE KEY-----") else { return "" }
    return String(output[start.lowerBound..<end.upperBound])
  }

  /// A token for one registry. `issued` tells tokens apart that were given out in one second.
  func token(subject: String, audience: String, access: JSONValue, seconds: Int, now: CloudDate) throws -> String {
    let chain = certificate.split(separator: "\n").filter { !$0.hasPrefix("-----") }.joined()
    let start = min(now.seconds, now.seconds + seconds)
    return try JSONWebToken.signed(
      [
        "iss": .string(Self.issuer), "aud": .string(audience), "sub": .string(subject), "jti": .string(Randomness.uuid()),
        "nbf": .integer(start - 10), "iat": .integer(start), "exp": .integer(now.seconds + seconds), "access": access,
        "issued": .integer(now.milliseconds),
      ], key: key, header: ["x5c": [.string(chain)]])
  }
}
