import FoundationEssentials
import TestFiles

/// The real docker-registry on loopback, with what it stores in a directory of its own.
package final class DockerRegistry: Sendable {
  package let port: UInt16
  private let directory: String
  private let child: Child

  /// As in references of images.
  package var address: String { "127.0.0.1:\(port)" }

  /// Starts it and waits until it listens.
  ///
  /// - Parameter port: 0 is any free one.
  /// - Parameter authentication: the `auth:` part of its configuration, in one line.
  package init(in directory: String, port: UInt16 = 0, authentication: String? = nil) throws {
    let configuration = """
      version: 0.1
      log: {level: info, formatter: text, accesslog: {disabled: true}}
      storage: {filesystem: {rootdirectory: "\(directory)/registry"}, delete: {enabled: true}}
      http: {addr: "127.0.0.1:\(port)", secret: test}
      \(authentication.map { "auth: " + $0 } ?? "")
      """
    try write(Array(configuration.utf8), to: directory + "/registry.yml")
    self.directory = directory
    child = try Child(["docker-registry", "serve", directory + "/registry.yml"], limit: 3600)
    do {
      self.port = try child.waitFor("listening on", seconds: 60) { text -> UInt16? in
        guard let found = text.firstRange(of: "listening on 127.0.0.1:") else { return nil }
        let rest = text[found.upperBound...]
        // The whole line has to be there, or the number may be cut.
        let digits = rest.prefix { $0.isNumber }
        return rest.count > digits.count ? UInt16(digits) : nil
      }
    } catch {
      child.end()
      throw error
    }
  }

  /// Whether a manifest was pushed there. Its files are asked, so that no request is counted.
  package func hasManifest(_ repository: String, _ digest: String) -> Bool {
    let parts = digest.split(separator: ":")
    guard parts.count == 2, parts[0] == "sha256", parts[1].count == 64, parts[1].allSatisfy(\.isHexDigit), !repository.contains("..") else {
      return false
    }
    return FileManager.default.fileExists(
      atPath: "\(directory)/registry/docker/registry/v2/repositories/\(repository)/_manifests/revisions/sha256/\(parts[1])/link")
  }

  package func end() { child.end() }
}

/// Runs `body` with a registry, and ends it afterwards. Parameters: see ``DockerRegistry/init(in:port:authentication:)``.
package func withDockerRegistry<Value>(
  in directory: String, port: UInt16 = 0, authentication: String? = nil, _ body: (DockerRegistry) throws -> Value
) throws -> Value {
  let registry = try DockerRegistry(in: directory, port: port, authentication: authentication)
  defer { registry.end() }
  return try body(registry)
}

/// Runs `body` with a registry, and ends it afterwards. Parameters: see ``DockerRegistry/init(in:port:authentication:)``.
package func withDockerRegistry<Value>(
  in directory: String, port: UInt16 = 0, authentication: String? = nil, _ body: (DockerRegistry) async throws -> Value
) async throws -> Value {
  let registry = try await blocking { try DockerRegistry(in: directory, port: port, authentication: authentication) }
  defer { registry.end() }
  return try await body(registry)
}
