import BuildModel
import CanonicalJSON
import FoundationEssentials
import Glibc
import HTTP
import Registry

/// Where a person's credential for a registry comes from: a file of mode 0600 or the environment, never an argument.
package enum RegistryAccount {
  private struct AuthFile: Decodable {
    struct Entry: Decodable { var auth: String? }
    var auths: [String: Entry]
  }

  /// A credential each. What the environment has is one registry's: it is refused where it would go to several.
  static func credentials(
    for registries: Set<RegistryName>, authFile: String?, environment: [String: String]
  ) throws(ToolboxError) -> [RegistryName: RegistryCredential] {
    var found: [RegistryName: RegistryCredential] = [:]
    for registry in registries { found[registry] = try credential(for: registry, authFile: authFile, environment: environment) }
    if authFile == nil, found.count > 1, found.values.contains(where: { $0 != .anonymous }) {
      let names = registries.map(\.text).sorted().joined(separator: ", ")
      throw .usage(
        "the credential in the environment (BLOCKFARM_REGISTRY_…) would be shown to several registries: \(names); use --authfile with one for each")
    }
    return found
  }

  /// `authFile` has docker's and skopeo's form: `{"auths":{"host:port":{"auth":"<base64 of user:password>"}}}`. Without it,
  /// `BLOCKFARM_REGISTRY_TOKEN`, or `BLOCKFARM_REGISTRY_USER` and `BLOCKFARM_REGISTRY_PASSWORD`; without those, anonymous.
  static func credential(for registry: RegistryName, authFile: String?, environment: [String: String]) throws(ToolboxError) -> RegistryCredential {
    if let authFile { return try credential(for: registry, in: authFile) }
    if let token = environment["BLOCKFARM_REGISTRY_TOKEN"], !token.isEmpty { return .bearer(Secret(token)) }
    switch (environment["BLOCKFARM_REGISTRY_USER"], environment["BLOCKFARM_REGISTRY_PASSWORD"]) {
    case (nil, nil): return .anonymous
    case (let user?, let password?): return .basic(user: user, password: Secret(password))
    default: throw .usage("BLOCKFARM_REGISTRY_USER and BLOCKFARM_REGISTRY_PASSWORD must both be set, or neither")
    }
  }

  private static func credential(for registry: RegistryName, in path: String) throws(ToolboxError) -> RegistryCredential {
    var status = stat()
    guard stat(path, &status) == 0 else { throw .usage("credentials file '\(path)': \(String(cString: strerror(errno)))") }
    guard status.st_mode & 0o077 == 0, status.st_size <= 1 << 20 else {
      throw .usage("credentials file '\(path)' can be read by others: set its mode with 'chmod 600'")
    }
    guard let data = try? Data(contentsOf: URL(filePath: path)) else { throw .usage("credentials file '\(path)' cannot be read") }
    let file: AuthFile
    do { file = try CanonicalJSON.decode(AuthFile.self, from: data) } catch {
      throw .usage("credentials file '\(path)' is not of the form {\"auths\": {\"host:port\": {\"auth\": \"…\"}}}: \(error)")
    }
    guard let packed = packed(for: registry, in: file) else {
      let keys = file.auths.keys.sorted().map { file.auths[$0]?.auth == nil ? "\($0) (without 'auth')" : $0 }
      throw .usage("credentials file '\(path)' has nothing for '\(registry)'; it has \(keys.isEmpty ? "no entries" : keys.joined(separator: ", "))")
    }
    guard let plain = Data(base64Encoded: packed).map({ String(decoding: $0, as: UTF8.self) }), let colon = plain.firstIndex(of: ":") else {
      throw .usage("credentials file '\(path)': what it has for '\(registry)' is not the base64 of user:password")
    }
    return .basic(user: String(plain[..<colon]), password: Secret(String(plain[plain.index(after: colon)...])))
  }

  /// The registry's own name comes first, then keys that mean it; docker keeps several for one registry, not all with a password.
  private static func packed(for registry: RegistryName, in file: AuthFile) -> String? {
    let matching = file.auths.keys.sorted().filter { host(inKey: $0) == host(inKey: registry.text) }
    return ([registry.text] + matching).lazy.compactMap { file.auths[$0]?.auth }.first
  }

  /// The registry that a key of an auth file means: only in a URL, as docker wrote them (`https://host/v1/`), is a path without meaning; elsewhere
  /// it is a namespace, whose password is not the registry's. All names of Docker Hub are one (containers/image, pkg/docker/config).
  private static func host(inKey key: String) -> String {
    var host = key.lowercased()[...]
    for scheme in ["https://", "http://"] where host.hasPrefix(scheme) { host = host.dropFirst(scheme.count).prefix { $0 != "/" } }
    return ["docker.io", "registry-1.docker.io"].contains(host) ? "index.docker.io" : String(host)
  }
}
