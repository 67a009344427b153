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
      _ = try load(farm, hosts: hosts)
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
      "farm.yaml:1: unknown key 'repositoris' in the farm's configuration; known are state, output, repositories, queueWaitSeconds, limits, environments, registries"
    ),
    ("state: [", "farm.yaml:2: not YAML: did not find expected node content"),
    ("\nqueueWaitSeconds: soon", "farm.yaml:2: a whole number from 1 to 31536000 is expected here"),
    ("repositories:\n  - {name: a}", "farm.yaml:2: a repository needs 'source', a path or a git URL"),
    ("repositories:\n  - {source: a}\n  - {source: a}", "farm.yaml:3: repository 'a' is given twice"),
    ("repositories:\n  - {source: a, driver: make}", "farm.yaml:2: 'make' is not a driver; known are barys, balena-build, command"),
  ])
  func namesFileAndLine(text: String, expected: String) {
    #expect(complaint(text) == expected)
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
