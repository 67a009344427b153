import Foundation
import TestFiles
import TestPeers
import Testing

/// A scratch directory with a farm of the sample repositories, driven by the real programs as an ordinary user (as `nobody` where root runs the tests).
final class SampleFarm: Sendable {
  let directory: String

  /// Programs, and the sample repositories in their checkouts: made once a run, never changed.
  private static let shared = Result { () throws -> String in
    let root = try ScratchDirectory.untilExit().path
    try FileManager.default.createDirectory(atPath: root + "/bin", withIntermediateDirectories: true)
    for program in ["blockfarm", "blockfarm-worker"] {
      // By another process: a program held open for writing here while a further test forks cannot be executed.
      try Tool.run("cp", Project.program(program), "\(root)/bin/\(program)")
    }
    try makeCheckouts(in: root, faults: [])
    return root
  }

  static func root() throws -> String { try shared.get() }
  static func program(_ name: String) throws -> String { try root() + "/bin/" + name }

  private static func makeCheckouts(in root: String, faults: [String]) throws {
    try Tool.run(
      [Project.path + "/deploy/sample/make-repositories", root + "/repositories"] + faults.flatMap { ["--fault", $0] },
      environment: environment(home: root))
    try FileManager.default.createDirectory(atPath: root + "/checkouts", withIntermediateDirectories: true)
    try OrdinaryUser.own(root)
    for name in ["balena-acme-arm", "balena-acme-x86", "balena-acme-legacy", "balena-acme-modern"] {
      let clone = [
        "git", "-c", "protocol.file.allow=always", "clone", "--quiet", "--recurse-submodules", "repositories/" + name, "checkouts/" + name,
      ]
      try Tool.run(OrdinaryUser.words + clone, environment: environment(home: root), directory: root)
    }
  }

  static func environment(home: String) -> [String: String] {
    [
      "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": home, "LANG": "C.UTF-8",
      "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@example.org", "GIT_COMMITTER_NAME": "t",
      "GIT_COMMITTER_EMAIL": "t@example.org",
    ]
  }

  /// A farm with the given repositories of the sample (`arm`, `x86`, `legacy`); with faults, repositories are made for it alone.
  init(_ repositories: [String] = ["arm"], faults: [String] = [], extra: String = "") throws {
    let root = try Self.root()
    directory = root + "/farm-" + UUID().uuidString.prefix(8)
    try FileManager.default.createDirectory(atPath: directory + "/checkouts", withIntermediateDirectories: true)
    if !faults.isEmpty { try Self.makeCheckouts(in: directory, faults: faults) }
    var text = "state: state\noutput: out\ndisk: 1 GB\n\(extra)repositories:\n"
    for name in repositories.map({ "balena-acme-" + $0 }) {
      if faults.isEmpty {
        try Tool.run("cp", "-a", "--reflink=auto", "\(root)/checkouts/\(name)", "\(directory)/checkouts/\(name)")
      }
      text += "  - {name: \(name), source: checkouts/\(name)}\n"
    }
    try Data(text.utf8).write(to: URL(filePath: directory + "/farm.yaml"))
    try OrdinaryUser.own(directory)
  }

  deinit {
    // Whatever a failed test left running there.
    for pid in processes() { kill(pid, SIGKILL) }
    try? FileManager.default.removeItem(atPath: directory)
  }

  // MARK: Programs

  /// Starts blockfarm, in the farm's directory or one below it, with further environment variables.
  func start(_ arguments: [String], in place: String = "", variables: [String: String] = [:], limit: Double = 60) throws -> Child {
    try Child(
      OrdinaryUser.words + [try Self.program("blockfarm")] + arguments,
      environment: Self.environment(home: directory).merging(variables) { _, new in new }, directory: directory + "/" + place, limit: limit)
  }

  @discardableResult
  func run(_ arguments: String..., limit: Double = 60) throws -> Child.Ended { try start(arguments, limit: limit).wait() }

  /// A build on this machine.
  func build(_ arguments: String...) throws -> Child.Ended { try start(["build", "--local"] + arguments).wait() }

  /// Runs git in a checkout.
  @discardableResult
  func git(_ arguments: String..., in repository: String = "balena-acme-arm") throws -> String {
    let ended = try Child(
      OrdinaryUser.words + ["git"] + arguments, environment: Self.environment(home: directory), directory: "\(directory)/checkouts/\(repository)"
    ).wait()
    try #require(ended.status == 0, "git \(arguments): \(ended.errors)")
    return ended.output
  }

  /// Commits everything in the checkout and moves its tag along.
  func commit() throws {
    let tag = try git("describe", "--tags", "--abbrev=0").trimmingCharacters(in: .whitespacesAndNewlines)
    try git("commit", "--quiet", "--all", "--message", "Change")
    try git("tag", "--force", tag)
  }

  // MARK: Files

  /// Replaces a text in a file of the arm checkout.
  func edit(_ path: String, _ old: String, _ new: String) throws {
    let file = "\(directory)/checkouts/balena-acme-arm/\(path)"
    let text = try String(contentsOfFile: file, encoding: .utf8)
    try #require(text.contains(old), "\(path) has no '\(old)'")
    // In place: the file keeps its owner.
    let handle = try #require(FileHandle(forUpdatingAtPath: file))
    try handle.truncate(atOffset: 0)
    try handle.write(contentsOf: Data(text.replacing(old, with: new).utf8))
    try handle.close()
  }

  func write(_ text: String, to path: String) throws {
    let file = "\(directory)/\(path)"
    try FileManager.default.createDirectory(
      atPath: URL(filePath: file).deletingLastPathComponent().path, withIntermediateDirectories: true)
    try Data(text.utf8).write(to: URL(filePath: file))
    try OrdinaryUser.own(directory)
  }

  /// Requests that were begun: directories of the deploy tree and rows of the journal.
  func requests() throws -> [String] {
    let listed = try run("status", "--json")
    if listed.status == 2 { return [] }
    return [try #require(try JSON(listed.output)["request"].text)]
  }

  /// The index.json of the newest request.
  func index() throws -> JSON {
    let id = try #require(try requests().first, "there is no request")
    return try JSON(String(contentsOfFile: "\(directory)/out/\(id)/index.json", encoding: .utf8))
  }

  /// Processes that work below this farm's directory, or carry an attempt's mark and come from here.
  func processes() -> [pid_t] { ProcessTable.processes(below: directory) }
}
