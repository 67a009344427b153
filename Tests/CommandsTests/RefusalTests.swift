import Foundation
import TestGolden
import Testing

/// Bad input is refused with status 2 and words that name the thing, before anything starts.
@Suite(.serialized) struct RefusalTests {
  /// Runs a command that must be refused: status 2, the golden text on standard error, nothing on standard output, nothing begun.
  private func refused(
    _ name: String, _ farm: SampleFarm, _ arguments: [String], replacing: [String: String] = [:], sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let ended = try farm.start(arguments).wait()
    #expect(ended.status == 2, "\(ended)", sourceLocation: sourceLocation)
    #expect(ended.output.isEmpty, sourceLocation: sourceLocation)
    try Golden.check(name, ended.errors, farm: farm, replacing: replacing, sourceLocation: sourceLocation)
    #expect(try hasStartedNothing(farm), sourceLocation: sourceLocation)
  }

  private func hasStartedNothing(_ farm: SampleFarm) throws -> Bool {
    let state = farm.directory + "/state"
    let attempts = (try? FileManager.default.contentsOfDirectory(atPath: state + "/local/attempts")) ?? []
    let hasRequest = FileManager.default.fileExists(atPath: farm.directory + "/farm.yaml") ? try !isWithoutRequest(farm) : false
    return attempts.isEmpty && !hasRequest && !FileManager.default.fileExists(atPath: farm.directory + "/out") && farm.processes().isEmpty
  }

  /// The journal, where the configuration can be read at all.
  private func isWithoutRequest(_ farm: SampleFarm) throws -> Bool {
    guard FileManager.default.fileExists(atPath: farm.directory + "/state") else { return true }
    return try farm.run("status", "--json").status == 2
  }

  /// One farm for all refusals that need nothing of their own: none of them starts anything.
  private static let shared = Result { try SampleFarm(["arm", "x86", "legacy"]) }

  static let requests: [(name: String, arguments: [String])] = [
    ("unknown-device-type", ["-m", "acme-bord64"]),
    ("unknown-block", ["-m", "acme-board64", "--blocks", "acme-wirless"]),
    ("unknown-option", ["--machin", "acme-board64"]),
    ("unknown-architecture", ["--all", "--arch", "arm64"]),
    ("unknown-repository", ["--all", "--repository", "balena-acme-amr"]),
    ("no-device-type-of-architecture", ["--repository", "balena-acme-x86", "--arch", "rpi"]),
    ("block-fits-none", ["-m", "acme-board7", "-m", "acme-edge64", "--blocks", "acme-gpu"]),
    ("nothing-selected", []),
    ("no-slots", ["-m", "acme-board64", "--slots", "0"]),
    ("local-and-host", ["-m", "acme-board64", "--host", "arm-1"]),
  ]

  @Test(arguments: requests) func request(_ request: (name: String, arguments: [String])) throws {
    try refused(request.name, Self.shared.get(), ["build", "--local"] + request.arguments)
  }

  @Test func unknownHost() throws {
    let farm = try SampleFarm()
    try refused("no-host-at-all", farm, ["build", "-m", "acme-board7", "--host", "arm-1"])
    for name in ["arm-1", "arm-2", "big-iron"] {
      try farm.write(
        """
        {name: \(name), host: 127.0.0.1, port: 1, user: nobody, hostKey: "SHA256:\(String(repeating: "A", count: 43))", architectures: [aarch64],
        worker: "sha256:\(String(repeating: "0", count: 64))"}
        """, to: "workers.d/\(name).yaml")
    }
    try refused("unknown-host", farm, ["build", "-m", "acme-board7", "--host", "arm-3"])
    try refused("unknown-host-drain", farm, ["worker", "drain", "arm-3"])
    try refused("unknown-host-check", farm, ["worker", "check", "arm-1", "nothing-near"])
    try refused("unknown-host-remove", farm, ["worker", "remove", "arm-3"])
  }

  @Test func ambiguousMachine() throws {
    let farm = try SampleFarm()
    // The slug and the file name win, so the machine has to be named as neither.
    for file in ["acme-board64", "acme-edge64"] { try farm.edit(file + ".coffee", "machine: '\(file)'", "machine: 'acme-twin'") }
    try farm.commit()
    try refused("ambiguous-machine", farm, ["build", "--local", "-m", "acme-twin"])
  }

  /// A block that fits some is planned for those; the others say why.
  @Test func blockThatFitsSome() throws {
    let farm = try SampleFarm()
    let plan = try farm.run("plan", "-m", "acme-board64", "-m", "acme-board7", "--blocks", "acme-gpu")
    #expect(plan.status == 0)
    #expect(plan.output.contains("acme-board7: block acme-gpu is left out: needs device type acme-board64 or acme-pc, this is acme-board7"))
    let json = try JSON(farm.run("plan", "-m", "acme-board64", "-m", "acme-board7", "--blocks", "acme-gpu", "--json").output)
    let blocks = json["tasks"].items.map { $0["blocks"].items.compactMap { $0["name"].text } }
    #expect(blocks == [["acme-gpu"], []])
  }

  // MARK: Files

  /// What cannot be read is said with file and line, status 1; everything else is planned. Where nothing is left, the status is 2.
  private func partly(_ name: String, _ farm: SampleFarm, _ arguments: [String], plans: String, sourceLocation: SourceLocation = #_sourceLocation)
    throws
  {
    let ended = try farm.start(["plan"] + arguments).wait()
    #expect(ended.status == 1 && ended.output.contains(plans + " "), "\(ended)", sourceLocation: sourceLocation)
    let errors = ended.errors.split(separator: "\n").filter { !$0.hasPrefix("note: ") }.joined(separator: "\n") + "\n"
    try Golden.check(name, errors, farm: farm, sourceLocation: sourceLocation)
  }

  @Test func contractsWithOneSlug() throws {
    let farm = try SampleFarm()
    try farm.edit("contracts/contracts/sw.image/acme-wireless/contract.json", "\"slug\": \"acme-wireless\"", "\"slug\": \"acme-gpu\"")
    try farm.commit()
    try partly("duplicate-contract", farm, ["-m", "acme-board64", "--blocks", "all"], plans: "acme-board64")
    try refused("duplicate-contract", farm, ["build", "--local", "-m", "acme-board64", "--blocks", "acme-gpu"])
  }

  @Test func brokenManifest() throws {
    let farm = try SampleFarm()
    try farm.edit("acme-edge64.coffee", "slug: 'acme-edge64'", "slug: 'acme-edge64")
    try farm.commit()
    try partly("broken-manifest", farm, ["--all"], plans: "acme-board64")
    try refused("broken-manifest", farm, ["build", "--local", "-m", "acme-edge64"])
    #expect(try farm.run("plan", "-m", "acme-board64").status == 0, "nothing depends on it")
  }

  @Test func brokenContract() throws {
    let farm = try SampleFarm()
    try farm.edit("contracts/contracts/sw.image/acme-gpu/contract.json", "\"version\": \"1.0.0\",", "\"version\": \"1.0.0\"")
    try farm.commit()
    try partly("broken-contract", farm, ["-m", "acme-board64", "--blocks", "all"], plans: "acme-board64")
  }

  static let configurations: [(name: String, text: String)] = [
    ("yaml-unclosed", "state: state\noutput: \"out\nrepositories: []\n"),
    ("yaml-tab", "state: state\nrepositories:\n\t- {source: x}\n"),
    ("yaml-unknown-key", "state: state\nrepositores: []\n"),
    ("yaml-wrong-type", "state: state\nrepositories: checkouts\n"),
    ("yaml-no-source", "repositories:\n  - name: a\n"),
    ("yaml-number", "queueWaitSeconds: soon\n"),
    ("yaml-twice", "state: a\nstate: b\n"),
    ("yaml-scalar", "just words\n"),
  ]

  @Test(arguments: configurations) func configuration(_ configuration: (name: String, text: String)) throws {
    let farm = try Self.shared.get()
    let file = configuration.name + ".yaml"
    try farm.write(configuration.text, to: file)
    try refused(configuration.name, farm, ["build", "--config", file, "--local", "-m", "acme-board64"])
  }

  @Test func brokenHostFile() throws {
    let farm = try SampleFarm()
    try farm.write("name: arm-1\nhost: a\nuser: b\nhostKey: MD5:aa\narchitectures: [aarch64]\nworker: x\n", to: "workers.d/arm-1.yaml")
    try refused("yaml-host", farm, ["build", "-m", "acme-board64"])
    try refused("yaml-host", farm, ["worker", "list"])
    #expect(try farm.run("plan", "-m", "acme-board64").status == 0, "a plan needs no host")
    try farm.write(
      """
      {name: arm-2, host: 127.0.0.1, port: 1, user: nobody, hostKey: "SHA256:\(String(repeating: "A", count: 43))", architectures: [aarch64],
      worker: "sha256:\(String(repeating: "0", count: 64))"}
      """, to: "workers.d/arm-2.yaml")
    let listed = try farm.run("worker", "list")
    #expect(listed.status == 1 && listed.output.contains("arm-2 "), "\(listed)")
    try Golden.check("yaml-host", listed.errors, farm: farm)
  }

  @Test func emptyConfiguration() throws {
    let farm = try SampleFarm()
    try farm.write("", to: "empty.yaml")
    try refused("empty-configuration", farm, ["build", "--config", "empty.yaml", "--local", "--all"])
    try refused("absent-configuration", farm, ["build", "--config", "absent.yaml", "--local", "--all"])
  }

  @Test(.enabled(if: !FileManager.default.fileExists(atPath: "/etc/blockfarm/farm.yaml"), "this machine has a farm of its own"))
  func noConfiguration() throws {
    let farm = try SampleFarm()
    try FileManager.default.removeItem(atPath: farm.directory + "/farm.yaml")
    try refused("no-configuration", farm, ["build", "--local", "--all"])
  }

  // MARK: Repositories

  @Test func absentRepository() throws {
    let farm = try SampleFarm()
    try FileManager.default.removeItem(atPath: farm.directory + "/checkouts/balena-acme-arm")
    try refused("absent-repository", farm, ["build", "--local", "--all"])
  }

  /// One repository in each state that cannot be built; the good one is, and everything is said at once.
  @Test func neighbours() throws {
    let farm = try SampleFarm(["arm", "x86", "legacy"])
    try Data("dirty".utf8).write(to: URL(filePath: farm.directory + "/checkouts/balena-acme-x86/VERSION"))
    for tag in try farm.git("tag", in: "balena-acme-legacy").split(separator: "\n") {
      try farm.git("tag", "--delete", String(tag), in: "balena-acme-legacy")
    }
    var text = try String(contentsOfFile: farm.directory + "/farm.yaml", encoding: .utf8)
    text += "  - {name: gone, source: checkouts/gone}\n  - {name: remote, source: 'file:///nonexistent/x.git'}\n"
    try farm.write(text, to: "farm.yaml")
    try partly("neighbours", farm, ["--all"], plans: "acme-board64")
    let named = try farm.run("plan", "-m", "acme-board64")
    #expect(named.status == 0 && named.errors.contains("gone: ") && !named.errors.contains("uncommitted"), "\(named)")
    #expect(try farm.run("plan", "--repository", "balena-acme-arm").errors.contains("gone") == false)
  }

  @Test func noTag() throws {
    let farm = try SampleFarm()
    for tag in try farm.git("tag").split(separator: "\n") { try farm.git("tag", "--delete", String(tag)) }
    try refused("no-tag", farm, ["build", "--local", "-m", "acme-board64"])
  }

  @Test func dirtyTree() throws {
    let farm = try SampleFarm()
    try farm.edit("VERSION", "6", "7")
    try refused("dirty-tree", farm, ["build", "--local", "-m", "acme-board64"])
    let plan = try farm.run("plan", "-m", "acme-board64", "--allow-dirty")
    #expect(plan.status == 0)
    #expect(plan.output.contains("no release"))
    let json = try JSON(farm.run("plan", "-m", "acme-board64", "--allow-dirty", "--json").output)
    #expect(json["tasks"][0]["isRelease"].number == 0)
  }

  @Test func submoduleThatIsNotCheckedOut() throws {
    let farm = try SampleFarm()
    try farm.git("submodule", "--quiet", "deinit", "--force", "balena-yocto-scripts")
    try refused("submodule-absent", farm, ["build", "--local", "-m", "acme-board64"])
  }

  // MARK: What is not there

  @Test func nothingToTellOf() throws {
    let farm = try SampleFarm()
    for command in ["status", "cancel"] { try refused("no-request", farm, [command]) }
    for command in ["logs", "explain"] { try refused("no-request", farm, [command, "acme-board64"]) }
  }
}
