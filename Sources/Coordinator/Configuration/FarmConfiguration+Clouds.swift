import BuildModel

extension FarmConfiguration {
  /// The cloud that `--env` names: one of the file, a predefined one, or a URL. `nil` is refused: publishing somewhere by default is how a test
  /// build reaches customers.
  package func cloud(named name: String?) throws(ConfigurationError) -> Cloud {
    let known = clouds + Cloud.predefined.filter { other in !clouds.contains { $0.name == other.name } }
    let names = known.map(\.name).sorted()
    guard let name else {
      throw ConfigurationError(
        file: file ?? "the command line", reason: "deploying needs an explicit cloud: --env \(names.joined(separator: "|"))|<url>")
    }
    if let found = known.first(where: { $0.name == name }) { return found }
    if name.contains("://") {
      // What the file says about that address goes with it.
      if let found = known.first(where: { $0.api == name }) { return found }
      guard Self.isAddress(name) else {
        throw ConfigurationError(file: "--env", reason: "\(AddressText.quoted(name)) is not http(s)://host or http(s)://host:port")
      }
      return Cloud(name: name, api: name)
    }
    let near = NearestNames.of(name, among: names)
    throw ConfigurationError(
      file: "--env", reason: "unknown cloud '\(name)'; known: \((near.isEmpty ? names : near).joined(separator: ", ")), or a URL")
  }

  static func clouds(_ node: ConfigurationNode, directory: String, home: String) throws(ConfigurationError) -> [Cloud] {
    guard let mapping = node.node.mapping else { throw node.failure("environments must be a mapping of a name to a cloud") }
    var result: [Cloud] = []
    for (key, value) in mapping {
      guard let name = key.string, let valid = try? HostName(name) else {
        throw node.failure("'\(key.string ?? "?")' is not a cloud's name (letters, digits, '-', '_', '.')")
      }
      guard !result.contains(where: { $0.name == valid.text }) else { throw node.failure("cloud '\(valid)' is given twice") }
      result.append(try cloud(ConfigurationNode(file: node.file, node: value, subject: "'\(valid)'"), valid.text, directory: directory, home: home))
    }
    return result
  }

  private static func cloud(
    _ node: ConfigurationNode, _ name: String, directory: String, home: String
  ) throws(ConfigurationError) -> Cloud {
    let keys = try node.mapping(
      "a cloud", known: ["api", "organization", "token", "login", "team", "role", "storage", "plainHTTP", "authorities"])
    let predefined = Cloud.predefined.first { $0.name == name }
    let api = try keys["api"]?.value("http(s)://host or http(s)://host:port") { isAddress($0) ? $0 : nil } ?? predefined?.api
    guard let api else { throw node.failure("cloud '\(name)' needs 'api', the API's address") }
    var cloud = predefined ?? Cloud(name: name, api: api)
    cloud.api = api
    if let node = keys["organization"] { cloud.organization = try node.string() }
    cloud.token = try keys["token"].map { (node) throws(ConfigurationError) in try credential(node, directory: directory, home: home) }
    cloud.login = try keys["login"].map { (node) throws(ConfigurationError) in try login(node, directory: directory, home: home) }
    if cloud.token != nil, let node = keys["login"] { throw node.failure("cloud '\(name)' has 'token' and 'login': give one of them") }
    cloud.team = try keys["team"]?.string()
    if let node = keys["role"] { cloud.role = try node.string() }
    cloud.storage = try keys["storage"].map { (node) throws(ConfigurationError) in try storage(node, directory: directory, home: home) }
    (cloud.allowsPlainHTTP, cloud.authorities) = try security(keys, directory: directory, home: home)
    return cloud
  }

  private static func login(_ node: ConfigurationNode, directory: String, home: String) throws(ConfigurationError) -> Cloud.Login {
    let keys = try node.mapping("login", known: ["username", "password"])
    guard let username = keys["username"], let password = keys["password"] else { throw node.failure("login needs 'username' and 'password'") }
    let text = try username.string()
    let isSource = text.hasPrefix("env:") || text.hasPrefix("file:")
    return Cloud.Login(
      username: isSource ? .source(try credential(username, directory: directory, home: home)) : .plain(text),
      password: try credential(password, directory: directory, home: home))
  }

  private static func storage(
    _ node: ConfigurationNode, directory: String, home: String
  ) throws(ConfigurationError) -> Cloud.ObjectStorage {
    let keys = try node.mapping("storage", known: ["endpoint", "bucket", "region", "accessKey", "secretKey", "plainHTTP", "authorities"])
    func required(_ key: String) throws(ConfigurationError) -> ConfigurationNode {
      guard let node = keys[key] else { throw node.failure("storage needs '\(key)'") }
      return node
    }
    let region = try keys["region"]?.string() ?? "us-east-1"
    var storage = Cloud.ObjectStorage(
      endpoint: try keys["endpoint"]?.value("http(s)://host or http(s)://host:port") { isAddress($0) ? $0 : nil }
        ?? "https://s3.\(region).amazonaws.com",
      bucket: try required("bucket").string(), region: region,
      accessKey: try credential(required("accessKey"), directory: directory, home: home),
      secretKey: try credential(required("secretKey"), directory: directory, home: home))
    (storage.allowsPlainHTTP, storage.authorities) = try security(keys, directory: directory, home: home)
    return storage
  }

  /// `plainHTTP` and `authorities`, which every server's entry may have.
  static func security(
    _ keys: [String: ConfigurationNode], directory: String, home: String
  ) throws(ConfigurationError) -> (allowsPlainHTTP: Bool, authorities: String?) {
    let authorities = try keys["authorities"]?.string()
    return (try keys["plainHTTP"]?.boolean() ?? false, authorities.map { ConfigurationFile.absolute($0, in: directory, home: home) })
  }

  /// A complaint never repeats the text: it may be the secret itself.
  static func credential(_ node: ConfigurationNode, directory: String, home: String) throws(ConfigurationError) -> CredentialSource {
    guard let source = CredentialSource(try node.string(), directory: directory, home: home) else {
      throw node.failure("a secret is named by env:NAME or file:PATH and never written here")
    }
    return source
  }

  /// Scheme, host and maybe port, nothing else.
  static func isAddress(_ text: String) -> Bool {
    guard let scheme = ["https://", "http://"].first(where: text.hasPrefix) else { return false }
    let rest = text.dropFirst(scheme.count)
    return !rest.isEmpty && rest.utf8.count <= 260
      && rest.utf8.allSatisfy { (48...58).contains($0) || (65...91).contains($0) || $0 == 93 || (97...122).contains($0) || $0 == 45 || $0 == 46 }
  }
}
