import BuildModel
import CoordinatorConfiguration
import FoundationEssentials
import TestFiles
import Testing

/// farm.yaml and workers.d, right and wrong.
struct FarmConfigurationTests {
  func load(_ farm: String, hosts: [String: String] = [:]) throws -> FarmConfiguration {
    try withScratchDirectory { directory in
      try FileManager.default.createDirectory(atPath: directory + "/workers.d", withIntermediateDirectories: true)
      try Data(farm.utf8).write(to: URL(filePath: directory + "/farm.yaml"))
      for (name, text) in hosts { try Data(text.utf8).write(to: URL(filePath: "\(directory)/workers.d/\(name).yaml")) }
      return try FarmConfiguration.load(named: "farm.yaml", workingDirectory: directory, home: "/home/x")
    }
  }

  /// What the file's name, line and complaint are.
  func complaint(_ farm: String, hosts: [String: String] = [:]) -> String {
    do {
      if let problem = try load(farm, hosts: hosts).hostFiles.problems.first { throw problem }
      return "nothing"
    } catch {
      let text = "\(error)"
      return text.lastIndex(of: "/").map { String(text[text.index(after: $0)...]) } ?? text
    }
  }

  static let host = """
    name: arm-1
    host: arm-1.example
    port: 2222
    user: builder
    hostKey: SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
    architectures: [aarch64, rpi]
    slots: 3
    worker: sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03
    """

  @Test func readsEverything() throws {
    let farm = try load(
      """
      state: ~/state
      output: ../deploy
      limits: {silentSeconds: 60, logMiB: 1}
      repositories:
        - source: ../balena-raspberrypi
        - {name: remote, source: "https://example.org/x/balena-y.git", ref: master}
      """, hosts: ["arm-1": Self.host])
    #expect(farm.state == "/home/x/state")
    #expect(farm.output.hasSuffix("/deploy"))
    #expect(farm.limits.silentSeconds == 60)
    #expect(farm.limits.logBytes == 1 << 20)
    #expect(farm.repositories.map(\.name) == ["balena-raspberrypi", "remote"])
    #expect(farm.repositories[1].source == "https://example.org/x/balena-y.git")
    #expect(farm.hosts.map(\.port) == [2222])
    #expect(farm.hosts[0].identity == .agent)
    #expect(farm.hosts[0].architectures == [.aarch64, .rpi])
  }

  @Test(arguments: [
    "https://builder:s3cr3t@example.org/x.git", "https://s3cr3t@example.org/x.git", "HTTPS://s3cr3t@example.org/x.git",
    "ssh://git:s3cr3t@example.org/x.git", "https://a:b@s3cr3t:c@example.org/x", "git+ssh://u:s3cr3t@example.org/x",
  ]) func refusesPasswordsInURLs(source: String) {
    let said = complaint("repositories: [{source: \"\(source)\"}]")
    #expect(said.contains("holds a credential") && said.contains("ssh key or a credential helper") && !said.contains("s3cr3t"), "\(said)")
  }

  @Test(arguments: [
    "git@example.org:x/y.git", "ssh://git@example.org:22/x.git", "https://example.org/a@b.git", "https://example.org/x?by=a@b", "../a@b:c",
  ]) func takesURLsThatNameAnAccountAlone(source: String) throws {
    #expect(try load("repositories: [{source: \"\(source)\", name: x}]").repositories.count == 1)
  }

  @Test func writesAHostThatItReads() throws {
    let host = try #require(try load("", hosts: ["a": Self.host]).hosts.first)
    let again = try #require(try load("", hosts: ["a": host.yaml]).hosts.first)
    #expect(again == host)
  }

  @Test func takesAnEmptyFileForTheDefaults() throws {
    let farm = try load("")
    #expect(farm.repositories.isEmpty)
    #expect(farm.state == "/home/x/.local/state/blockfarm")
  }

  @Test(arguments: [
    (
      "repositoris: []",
      "farm.yaml:1: unknown key 'repositoris' in the farm's configuration; known are state, output, repositories, queueWaitSeconds, limits, environments, registries, disk"
    ),
    ("state: [", "farm.yaml:2: not YAML: did not find expected node content"),
    ("\nqueueWaitSeconds: soon", "farm.yaml:2: 'queueWaitSeconds' must be a whole number from 1 to 31536000"),
    ("repositories:\n  - {name: a}", "farm.yaml:2: a repository needs 'source', a path or a git URL"),
    ("repositories:\n  - {source: a}\n  - {source: a}", "farm.yaml:3: repository 'a' is given twice"),
    ("repositories:\n  - {source: a, driver: make}", "farm.yaml:2: 'make' is not a driver; known are barys, balena-build, command"),
  ])
  func namesFileAndLine(text: String, expected: String) {
    #expect(complaint(text) == expected)
  }

  @Test func contractsBeginAtTheRepository() throws {
    #expect(try load("repositories:\n  - {source: a}").repositories[0].contracts == nil)
    #expect(try load("repositories:\n  - {source: a, contracts: [x, ../y]}").repositories[0].contracts == ["x", "../y"])
    for path in ["/absolute/path", "~/contracts"] {
      let error = #expect(throws: ConfigurationError.self) { try load("repositories:\n  - source: a\n    contracts: [contracts, \(path)]") }
      #expect(error?.line == 3)
      #expect(error?.reason == "'\(path)' is not a path that begins at the repository (contracts, or ../my-contracts)")
    }
  }

  @Test func aHostMayNameOutdatedAlgorithms() throws {
    let directory = FileManager.default.temporaryDirectory.path + "/farm-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    try Data((Self.host + "\nsshAlgorithms: [hmac-sha1, aes256-cbc]\n").utf8).write(to: URL(filePath: directory + "/arm-1.yaml"))
    var host = try HostConfiguration.read(directory + "/arm-1.yaml", home: "/")
    #expect(host.sshAlgorithms == ["hmac-sha1", "aes256-cbc"])
    host.speed = 1
    try Data(host.yaml.utf8).write(to: URL(filePath: directory + "/again.yaml"))
    #expect(try HostConfiguration.read(directory + "/again.yaml", home: "/") == host)
  }

  @Test func aHostMayDoWithoutASandbox() throws {
    let farm = try load("", hosts: ["a": Self.host + "\nisolation: none\nforcedCommand: true\n"])
    let host = try #require(farm.hosts.first)
    #expect(host.isUnconfined && host.hasForcedCommand)
    #expect(host.yaml.hasSuffix("isolation: none\nforcedCommand: true\n"))
    let usual = try load("", hosts: ["a": Self.host + "\nisolation: bubblewrap\n"])
    #expect(usual.hosts.first?.isUnconfined == false && usual.hosts.first?.hasForcedCommand == false)
    let wrong = try load("", hosts: ["a": Self.host + "\nisolation: docker\n"])
    #expect(wrong.hostFiles.problems.map(\.reason) == ["'docker' is not an isolation; known are bubblewrap (the default), none"])
  }

  /// A host whose file nobody reads is no host: the name is refused, not passed over.
  @Test(arguments: ["arm-1.yml", "arm-1.YML", "arm-1.Yaml"]) func namesOfHostFiles(_ name: String) throws {
    let directory = FileManager.default.temporaryDirectory.path + "/farm-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: directory + "/workers.d", withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    for other in ["README.md", "arm-1.yaml~", ".arm-1.yml.swp", "arm-1.yaml.rej"] {
      try Data("x".utf8).write(to: URL(filePath: "\(directory)/workers.d/\(other)"))
    }
    #expect(HostFiles(in: directory + "/workers.d", home: "/").problems.isEmpty)
    #expect(HostFiles(in: directory + "/nowhere", home: "/").problems.isEmpty)
    try Data(Self.host.utf8).write(to: URL(filePath: "\(directory)/workers.d/\(name)"))
    let files = HostFiles(in: directory + "/workers.d", home: "/")
    #expect(files.hosts.isEmpty)
    #expect(files.problems.map(\.description) == ["\(directory)/workers.d/\(name): must end in '.yaml'; under this name the host is not read"])
    // A file where the directory should be.
    let file = HostFiles(in: "\(directory)/workers.d/\(name)", home: "/")
    #expect(file.problems.map(\.reason) == ["cannot be listed: Not a directory"])
  }

  /// One file costs one host.
  @Test func brokenHostFilesLeaveTheOthers() throws {
    let second = Self.host.replacing("name: arm-1", with: "name: arm-2")
    let farm = try load("", hosts: ["a": second, "b": Self.host + "\nslots: many", "c": Self.host, "d": Self.host, "e": "- x"])
    #expect(farm.hosts.map(\.name.text) == ["arm-1", "arm-2"])
    let problems = farm.hostFiles.problems.map { $0.description.replacing(farm.hostDirectory, with: "<hosts>") }
    #expect(
      problems == [
        "<hosts>/b.yaml:7: not YAML: key given twice: slots", "<hosts>/d.yaml: host 'arm-1' is defined in another file too",
        "<hosts>/e.yaml:1: a worker host must be a mapping of name, host, port, user, hostKey, identity, architectures, slots, root, worker, speed, "
          + "sshAlgorithms, isolation, forcedCommand",
      ])
  }

  /// Whoever corrects a list wants all that is wrong with it.
  @Test func allComplaintsAboutRepositoriesAtOnce() {
    let text = "repositories:\n  - {source: a}\n  - {name: b}\n  - {source: c, drivr: barys}\n  - {source: a}\n"
    let error = #expect(throws: ConfigurationError.self) { try load(text) }
    #expect(
      (error?.description ?? "").split(separator: "\n").map { String($0.drop { $0 != ":" }) } == [
        ":3: a repository needs 'source', a path or a git URL",
        ":4: unknown key 'drivr' in a repository; known are name, source, ref, driver, contracts, disk, preferred",
        ":5: repository 'a' is given twice",
      ])
  }

  @Test(arguments: [
    ("hostKey: SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "hostKey: aa:bb", "'aa:bb' is not a fingerprint"),
    ("slots: 3", "slots: 0", "a whole number from 1 to 1000"),
    ("rpi]", "sparc]", "'sparc' is not an architecture"),
    ("host: arm-1.example", "host: \"-oProxyCommand=x\"", "is not a host address"),
    ("user: builder", "usr: builder", "unknown key 'usr'"),
  ])
  func refusesWrongHosts(old: String, new: String, expected: String) throws {
    let text = Self.host.replacing(old, with: new)
    #expect(text != Self.host)
    #expect(complaint("", hosts: ["a": text]).contains(expected))
  }
}
