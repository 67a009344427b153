import Foundation

/// The real docker-registry, with its state in a directory of its own.
struct DockerRegistry: Sendable {
  /// On the loopback interface.
  let port: Int
  private let child: ChildProcess
  private let directory: String

  /// Starts it and waits until it listens. Tokens for `service` come from `realm`.
  static func start(in directory: String, realm: String, service: String, signer: RegistryTokenSigner) async throws -> DockerRegistry {
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    try signer.certificate.write(toFile: directory + "/root.pem", atomically: true, encoding: .utf8)
    let configuration = """
      version: 0.1
      log: {level: info, formatter: text, accesslog: {disabled: true}}
      storage:
        filesystem: {rootdirectory: "\(directory)/data"}
        delete: {enabled: true}
      http: {addr: "127.0.0.1:0", secret: "\(Randomness.hex(bytes: 16))"}
      auth:
        token: {realm: "\(realm)", service: "\(service)", issuer: "\(RegistryTokenSigner.issuer)", rootcertbundle: "\(directory)/root.pem"}
      """
    try configuration.write(toFile: directory + "/registry.yml", atomically: true, encoding: .utf8)
    let child = try await ChildProcess.start(["/usr/bin/docker-registry", "serve", directory + "/registry.yml"])
    let port = await child.waitForOutput(seconds: 60) { text -> Int? in
      guard let found = text.range(of: "listening on 127.0.0.1:") else { return nil }
      let digits = text[found.upperBound...].prefix { $0.isNumber }
      // The whole line has to be there, or the number may be cut.
      return text[found.upperBound...].count > digits.count ? Int(digits) : nil
    }
    guard let port else {
      let output = child.outputSoFar
      await child.end()
      throw TestCloudError.registryNotReady(output: output)
    }
    return DockerRegistry(port: port, child: child, directory: directory)
  }

  /// Whether a manifest was pushed there: asked of the registry's files, so that no request is counted.
  func hasManifest(_ repository: String, _ digest: String) -> Bool {
    let parts = digest.split(separator: ":")
    guard parts.count == 2, parts[0] == "sha256", parts[1].count == 64, parts[1].allSatisfy(\.isHexDigit), !repository.contains("..") else {
      return false
    }
    let link = "\(directory)/data/docker/registry/v2/repositories/\(repository)/_manifests/revisions/sha256/\(parts[1])/link"
    return FileManager.default.fileExists(atPath: link)
  }

  func end() async { await child.end() }
}
