import BuildModel
import FoundationEssentials
import Glibc

/// `farm.yaml` and the hosts beside it.
package struct FarmConfiguration: Sendable {
  /// The file it came from; nil for the built-in defaults.
  package var file: String?
  /// The directory of `workers.d/`; relative paths in the file are relative to it.
  package var directory: String
  /// Engine state, an absolute path.
  package var state: String
  /// Where deploy trees go, an absolute path.
  package var output: String
  package var repositories: [Repository]
  package var hosts: [HostConfiguration] { hostFiles.hosts }
  /// The hosts, and the files whose hosts cannot be used.
  package var hostFiles: HostFiles
  /// The account's home, for `~/`.
  package var home: String
  /// Seconds that a task waits for a host.
  package var queueWait: Double
  package var limits: Limits
  /// The `environments` of the file; ``cloud(named:)`` knows the predefined ones too.
  package var clouds: [Cloud] = []
  package var registries: [RegistryConfiguration] = []
  /// What ``Repository/disk`` is where neither a repository nor its driver says it; nil where the file does not say either.
  package var disk: ByteCount?

  package struct Repository: Hashable, Sendable {
    package var name: String
    /// A local path (absolute) or a git URL.
    package var source: String
    package var ref: String?
    package var driver: TaskSpec.Driver
    /// Directories with contracts, relative to the repository; nil where the file does not say.
    package var contracts: [String]?
    /// Free disk that a host must have for one of its device types, before any was built; nil where the file does not say.
    package var disk: ByteCount?
    /// Whether it wins where another repository defines the same device type; without such a word the newer version does.
    package var isPreferred: Bool
    package init(
      name: String, source: String, ref: String?, driver: TaskSpec.Driver, contracts: [String]?, disk: ByteCount? = nil, isPreferred: Bool = false
    ) {
      self.disk = disk
      self.isPreferred = isPreferred
      self.name = name
      self.source = source
      self.ref = ref
      self.driver = driver
      self.contracts = contracts
    }

    /// What is searched: many repositories have no contracts, so the usual directory may be missing.
    package var contractDirectories: [String] { contracts ?? ["contracts"] }
  }

  /// Reads the file named by `--config`, else `./farm.yaml`, else `/etc/blockfarm/farm.yaml`, else the defaults without repositories.
  package static func load(named name: String?, workingDirectory: String, home: String) throws(ConfigurationError) -> FarmConfiguration {
    let candidates = name.map { [$0] } ?? ["farm.yaml", "/etc/blockfarm/farm.yaml"]
    for candidate in candidates {
      let path = ConfigurationFile.absolute(candidate, in: workingDirectory, home: home)
      guard access(path, F_OK) == 0 else { continue }
      return try read(path, home: home)
    }
    if let name { throw ConfigurationError(file: name, reason: "no such file") }
    for candidate in candidates {
      // Nobody reads it under this name.
      let other = ConfigurationFile.absolute(candidate, in: workingDirectory, home: home).dropLast("yaml".count) + "yml"
      if access(String(other), F_OK) == 0 {
        throw ConfigurationError(file: String(other), reason: "must be called farm.yaml, or be named with --config")
      }
    }
    var configuration = defaults(directory: workingDirectory, home: home)
    configuration.hostFiles = configuration.readHosts()
    return configuration
  }

  /// Where a new host's file goes and what is used when there is no farm.yaml.
  static func defaults(directory: String, home: String) -> FarmConfiguration {
    FarmConfiguration(
      file: nil, directory: directory, state: home + "/.local/state/blockfarm", output: directory + "/out",
      repositories: [], hostFiles: HostFiles(), home: home, queueWait: 24 * 3600, limits: Limits())
  }

  private static func read(_ path: String, home: String) throws(ConfigurationError) -> FarmConfiguration {
    let directory = ConfigurationFile.parent(path)
    var configuration = defaults(directory: directory, home: home)
    configuration.file = path
    let root = try ConfigurationNode.parse(ConfigurationFile.text(path), file: path)
    let keys = try root.mapping(
      "the farm's configuration", known: ["state", "output", "repositories", "queueWaitSeconds", "limits", "environments", "registries", "disk"])
    if let node = keys["state"] { configuration.state = ConfigurationFile.absolute(try node.string(), in: directory, home: home) }
    if let node = keys["output"] { configuration.output = ConfigurationFile.absolute(try node.string(), in: directory, home: home) }
    if let node = keys["queueWaitSeconds"] { configuration.queueWait = Double(try node.integer(1...31_536_000)) }
    if let node = keys["limits"] { configuration.limits = try limits(node) }
    if let node = keys["disk"] { configuration.disk = try node.byteCount() }
    if let node = keys["environments"] { configuration.clouds = try clouds(node, directory: directory, home: home) }
    if let node = keys["registries"] { configuration.registries = try registries(node, directory: directory, home: home) }
    if let node = keys["repositories"] {
      configuration.repositories = try repositories(node, directory: directory, home: home)
    }
    configuration.hostFiles = configuration.readHosts()
    return configuration
  }

  /// Where the hosts' files are.
  package var hostDirectory: String { directory + "/workers.d" }

  /// Reads the hosts' files (again).
  package func readHosts() -> HostFiles { HostFiles(in: hostDirectory, home: home) }

  /// All entries, or all complaints about them.
  private static func repositories(_ node: ConfigurationNode, directory: String, home: String) throws(ConfigurationError) -> [Repository] {
    var repositories: [Repository] = []
    var complaints: [ConfigurationError] = []
    for item in try node.list() {
      do throws(ConfigurationError) {
        let repository = try self.repository(item, directory: directory, home: home)
        guard !repositories.contains(where: { $0.name == repository.name }) else {
          throw item.failure("repository '\(repository.name)' is given twice")
        }
        repositories.append(repository)
      } catch {
        complaints.append(error)
      }
    }
    if let all = ConfigurationError(complaints) { throw all }
    return repositories
  }

  private static func repository(_ node: ConfigurationNode, directory: String, home: String) throws(ConfigurationError) -> Repository {
    let keys = try node.mapping("a repository", known: ["name", "source", "ref", "driver", "contracts", "disk", "preferred"])
    guard let source = try keys["source"]?.string() else { throw node.failure("a repository needs 'source', a path or a git URL") }
    let isURL = source.contains("://") || source.contains("@")
    guard !AddressText.holdsCredential(source) else {
      throw node.failure(
        "the git URL of a repository holds a credential, which git would show in process lists and keep in the clone: take it out of 'source', change it "
          + "where it is valid, and use an ssh key or a credential helper of git")
    }
    let place = isURL ? source : ConfigurationFile.absolute(source, in: directory, home: home)
    let last = place.split(separator: "/").last.map(String.init) ?? place
    var disk = try keys["driver"]?.driverDisk()
    if let node = keys["disk"] { disk = try node.byteCount() }
    return Repository(
      name: try keys["name"]?.string() ?? (last.hasSuffix(".git") ? String(last.dropLast(4)) : last), source: place,
      ref: try keys["ref"]?.string(),
      driver: try keys["driver"]?.driver() ?? .barys,
      contracts: try keys["contracts"]?.list().map { (item) throws(ConfigurationError) in
        try item.value("a path that begins at the repository (contracts, or ../my-contracts)") { isRelative($0) ? $0 : nil }
      }, disk: disk, isPreferred: try keys["preferred"]?.boolean() ?? false)
  }

  /// The disk that is stated for device types of a repository: by itself, its driver, or for all.
  package func disk(ofRepository name: String) -> ByteCount? { repositories.first { $0.name == name }?.disk ?? disk }

  private static func isRelative(_ path: String) -> Bool { !path.hasPrefix("/") && !path.hasPrefix("~") }

  private static func limits(_ node: ConfigurationNode) throws(ConfigurationError) -> Limits {
    let keys = try node.mapping("limits", known: ["silentSeconds", "totalSeconds", "logMiB"])
    var limits = Limits()
    if let node = keys["silentSeconds"] { limits.silentSeconds = Double(try node.integer(1...31_536_000)) }
    if let node = keys["totalSeconds"] { limits.totalSeconds = Double(try node.integer(1...31_536_000)) }
    if let node = keys["logMiB"] { limits.logBytes = Int64(try node.integer(1...1_048_576)) << 20 }
    return limits
  }
}
