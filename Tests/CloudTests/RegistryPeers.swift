import BlobStore
import BuildModel
import Foundation
import OCIImage
import Synchronization
import TestFiles
import TestPeers

import enum Crypto.P256

@testable import Cloud

/// A real docker-registry of our own on loopback.
final class PrivateRegistry {
  let port: UInt16
  private let daemon: Daemon
  var name: RegistryName { get throws { try RegistryName("127.0.0.1:\(port)") } }

  /// `authentication` is the `auth:` part of its configuration, in one line.
  init(in scratch: String, authentication: String = "") throws {
    port = try freePort()
    let configuration = """
      version: 0.1
      log: {level: error}
      storage: {filesystem: {rootdirectory: \(scratch)/registry}}
      http: {addr: "127.0.0.1:\(port)", secret: test}
      \(authentication.isEmpty ? "" : "auth: " + authentication)
      """
    try configuration.write(toFile: scratch + "/registry.yml", atomically: true, encoding: .utf8)
    daemon = try Daemon(["/usr/bin/docker-registry", "serve", scratch + "/registry.yml"], port: port, log: scratch + "/registry.log")
  }
}

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

/// A small image: a config and gzip layers of noise, made as blocks are (nobody here looks into the tar).
struct TestImage {
  let image: LocalImage
  let layers: [BlobDescriptor]
  let config: BlobDescriptor

  init(in scratch: String, layers sizes: [Int], seed: UInt64 = 1, flavour: ImageManifest.Flavour = .docker, architecture: String = "arm64") throws {
    var layers: [BlobDescriptor] = []
    var blobs: [LocalBlob] = []
    var diffIDs: [Digest] = []
    let store = try BlobStore(root: scratch + "/made")
    for (index, size) in sizes.enumerated() {
      let bytes = noise(size, seed: seed * 100 + UInt64(index))
      let writer = try BlobWriter(store: store)
      let gzip = GzipChunks(into: writer)
      try bytes.withUnsafeBytes { try gzip.write($0) }
      try gzip.finish()
      let layer = try writer.finish(expecting: nil)
      layers.append(layer)
      diffIDs.append(blob(bytes).digest)
      blobs.append(LocalBlob(layer, file: store.path(layer.digest)))
    }
    let bytes = try ImageConfig(
      platform: Platform(os: "linux", architecture: architecture, variant: nil), labels: ["io.balena.image.class": "overlay"],
      diffIDs: diffIDs, created: 0, createdBy: "test"
    ).bytes()
    config = blob(bytes)
    blobs.append(LocalBlob(config, bytes: bytes))
    let manifest = ImageManifest(flavour, config: config, gzipLayers: layers)
    image = LocalImage(manifest: try LocalManifest(try manifest.bytes(), mediaType: manifest.mediaType), blobs: blobs)
    self.layers = layers
  }
}
