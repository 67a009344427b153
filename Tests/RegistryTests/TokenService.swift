import Foundation
import Synchronization
import TestPeers
import TestServers

import enum Crypto.P256

/// A token service of our own: signs what it grants with a key that openssl made, and is as particular about requests as balenaCloud's.
final class TokenService: Sendable {
  struct Asked: Sendable {
    var scopes: [String]
    var authorization: String?
  }
  typealias Grant = @Sendable (_ repository: String, _ authorization: String?) -> [String]

  let server: FaultServer
  private let log: Log
  var asked: [Asked] { log.all.withLock { $0 } }
  /// For the registry's configuration.
  let authentication: String

  private final class Log: Sendable { let all = Mutex<[Asked]>([]) }

  init(in scratch: String, grant: @escaping Grant) throws {
    let (key, certificate) = (scratch + "/token.key", scratch + "/token.crt")
    try Tool.run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", scratch + "/token.ec")
    try Tool.run("openssl", "pkcs8", "-topk8", "-nocrypt", "-in", scratch + "/token.ec", "-out", key)
    try Tool.run("openssl", "req", "-x509", "-new", "-key", key, "-subj", "/CN=token", "-days", "2", "-out", certificate)
    let signer = try P256.Signing.PrivateKey(pemRepresentation: String(contentsOfFile: key, encoding: .utf8))
    let chain = try String(contentsOfFile: certificate, encoding: .utf8).split(separator: "\n").filter { !$0.hasPrefix("-") }.joined()
    let log = Log()
    self.log = log
    server = try FaultServer { request, _ in
      let query = URLComponents(string: request.target)?.queryItems ?? []
      let scopes = query.filter { $0.name == "scope" }.compactMap(\.value)
      let authorization = request.field("Authorization")
      log.all.withLock { $0.append(Asked(scopes: scopes, authorization: authorization)) }
      if authorization == "Bearer refused" { return Reply.send(401) }
      guard query.first(where: { $0.name == "service" })?.value == "test-registry" else { return Reply.send(400) }
      // Scopes that are joined by blanks are ignored without a word.
      let access = scopes.filter { !$0.contains(" ") }.map { scope in
        let parts = scope.components(separatedBy: ":")
        let actions = Set(parts[2].components(separatedBy: ",")).intersection(grant(parts[1], authorization))
        return ["type": "repository", "name": parts[1], "actions": actions.sorted()] as [String: any Sendable]
      }
      let now = Int(Date.now.timeIntervalSince1970)
      let claims: [String: Any] = [
        "iss": "test-issuer", "sub": "", "aud": "test-registry", "exp": now + 600, "nbf": now - 10, "iat": now, "jti": UUID().uuidString,
        "access": access,
      ]
      let head: [String: Any] = ["typ": "JWT", "alg": "ES256", "x5c": [chain]]
      guard let first = try? Self.base64(JSONSerialization.data(withJSONObject: head)),
        let second = try? Self.base64(JSONSerialization.data(withJSONObject: claims)),
        let signature = try? signer.signature(for: Data("\(first).\(second)".utf8))
      else { return Reply.send(500) }
      return Reply.send(200, [("Content-Type", "application/json")], "{\"token\":\"\(first).\(second).\(Self.base64(signature.rawRepresentation))\"}")
    }
    authentication =
      "{token: {realm: \"\(server.origin)/auth/v1/token\", service: test-registry, issuer: test-issuer, rootcertbundle: \(certificate)}}"
  }

  private static func base64(_ data: Data) -> String {
    data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
  }
}
