extension FarmConfiguration {
  static func registries(_ node: ConfigurationNode, directory: String, home: String) throws(ConfigurationError) -> [RegistryConfiguration] {
    var result: [RegistryConfiguration] = []
    for (name, node) in try node.entries("registries") {
      guard isRegistry(name) else { throw node.failure("'\(name)' is not a registry: host or host:port, as references name it") }
      guard !result.contains(where: { $0.name == name.lowercased() }) else { throw node.failure("registry '\(name)' is given twice") }
      let keys = try node.mapping("a registry", known: ["username", "password", "tokenService", "plainHTTP", "authorities"])
      var registry = RegistryConfiguration(name: name.lowercased())
      switch (keys["username"], keys["password"]) {
      case (nil, nil): break
      case (let username?, let password?):
        registry.account = .init(username: try username.string(), password: try credential(password, directory: directory, home: home))
      default: throw node.failure("registry '\(name)' needs 'username' and 'password', or neither")
      }
      registry.tokenService = try keys["tokenService"]?.value("http(s)://host or http(s)://host:port") { isAddress($0) ? $0 : nil }
      (registry.allowsPlainHTTP, registry.authorities) = try security(keys, directory: directory, home: home)
      result.append(registry)
    }
    return result
  }

  /// Host and maybe port, nothing else; an address in brackets may be one of IPv6.
  private static func isRegistry(_ text: String) -> Bool { isAddress("https://" + text) }
}
