import BuildModel
import Foundation
import TestFiles
import TestPeers
import Testing

/// A repository whose build attacks its host. Without a sandbox each attack succeeds; with it none does.
@Suite(.timeLimit(.minutes(5)))
struct IsolationTests {
  private let sample: SampleRepository
  private let host: WorkerHost

  init() throws {
    sample = try SampleRepository.shared()
    host = try WorkerHost()
  }

  /// What the build tries, as a Python program. It prints a line for each attack that succeeded.
  private func attack(writing: [String], reading: [String], connecting: [String], killing: pid_t) -> String {
    func list(_ texts: [String]) -> String { "[" + texts.map { "'\($0)'" }.joined(separator: ", ") + "]" }
    return """
      #!/usr/bin/python3
      import os, socket
      def attempt(name, action):
        try:
          action()
          print('DID ' + name, flush=True)
        except OSError:
          pass
      def write(path):
        with open(path, 'a') as file: file.write('forged')
      def replace(path):
        os.unlink(path)
        write(path)
      def connect(path):
        socket.socket(socket.AF_UNIX).connect(path)
      for path in \(list(writing)): attempt('write ' + path, lambda: write(path))
      for path in \(list(reading)): attempt('read ' + path, lambda: open(path).read(1))
      for path in \(list(connecting)): attempt('connect ' + path, lambda: connect(path))
      attempt('replace worker', lambda: replace('\(host.root)/bin/blockfarm-worker'))
      attempt('look', lambda: open('/proc/\(killing)/environ').read(1))
      attempt('kill', lambda: os.kill(\(killing), 15))
      print('HOME ' + os.environ['HOME'] + ' ' + str(len(os.listdir(os.environ['HOME']))))
      """
  }

  private func spec(_ script: String, isUnconfined: Bool) throws -> TaskSpec {
    var spec = try sample.spec()
    spec.system = nil
    let program = host.scratch + "/attack"
    try TestFiles.write(Array(script.utf8), to: program)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program)
    spec.driver = .command(
      settings: .init(build: try CommandTemplate([program, "{targets}"]), architectures: .fixed(["all"]), index: .withBuild))
    spec.confinement = .init(isUnconfined: isUnconfined, hidden: [host.scratch + "/state"])
    return spec
  }

  private func console(_ spec: TaskSpec) throws -> [String] {
    try String(contentsOfFile: "\(host.root)/attempts/\(spec.attempt)/console.log", encoding: .utf8).split(separator: "\n").map(String.init)
  }

  /// Runs `body` while something listens on a socket of the file system.
  private func withListener(_ path: String, _ body: () throws -> Void) throws {
    let script = "import socket, time\ns = socket.socket(socket.AF_UNIX)\ns.bind('\(path)')\ns.listen(9)\nprint('ready', flush=True)\ntime.sleep(600)"
    try withChild(OrdinaryUser.words + ["/usr/bin/python3", "-c", script]) { child in
      try child.waitFor("ready", on: .output, seconds: 30)
      try body()
    }
  }

  @Test(arguments: [true, false]) func aBuildThatAttacksItsHost(_ isUnconfined: Bool) throws {
    let (root, scratch) = (host.root, host.scratch)
    for directory in ["root/bin", "root/blobs/sha256", "root/attempts/other", "root/work/1", "root/cache/parse", "root/sources", ".ssh", "state"] {
      try TestFiles.write(Array("secret".utf8), to: "\(scratch)/\(directory)/file")
    }
    try TestFiles.write(Array("worker".utf8), to: "\(root)/bin/blockfarm-worker")
    try OrdinaryUser.own(scratch)
    let files =
      ["bin", "blobs/sha256", "attempts/other", "work/1", "cache/parse"].map { "\(root)/\($0)/file" } + [
        scratch + "/.ssh/file", scratch + "/state/file",
      ]
    let mirrors = root + "/sources/new"
    let sockets = [scratch + "/agent.sock", scratch + "/state/engine.sock", scratch + "/docker.sock"]
    host.variables["DOCKER_HOST"] = "unix://\(scratch)/docker.sock"
    host.variables["SSH_AUTH_SOCK"] = scratch + "/agent.sock"
    try withChild(OrdinaryUser.words + ["sleep", "300"]) { bystander in
      let script = attack(writing: files + [mirrors], reading: files, connecting: sockets, killing: bystander.pid)
      let spec = try spec(script, isUnconfined: isUnconfined)
      try withListener(sockets[0]) {
        try withListener(sockets[1]) {
          try withListener(sockets[2]) {
            try host.startWithSources(spec, of: sample)
            _ = try host.outcome(spec.attempt)
          }
        }
      }
      let console = try console(spec)
      let done = console.filter { $0.hasPrefix("DID ") }
      let all =
        (files + [mirrors]).map { "DID write " + $0 } + files.map { "DID read " + $0 } + sockets.map { "DID connect " + $0 }
        + ["DID replace worker", "DID look", "DID kill"]
      #expect(done == (isUnconfined ? all : []), "\(console)")
      #expect(console.contains("HOME /tmp/home 0") != isUnconfined)
      #expect(try String(contentsOfFile: root + "/bin/blockfarm-worker", encoding: .utf8) == (isUnconfined ? "forged" : "worker"))
      for file in files { #expect(try String(contentsOfFile: file, encoding: .utf8) == (isUnconfined ? "secretforged" : "secret")) }
    }
  }

  @Test func theOutcomeSaysItsIsolation() throws {
    func isolation(_ spec: TaskSpec) throws -> Isolation? {
      try host.startWithSources(spec, of: sample)
      let outcome = try host.outcome(spec.attempt)
      #expect(outcome.failure == nil)
      return outcome.isolation
    }
    var spec = try sample.spec()
    spec.blocks = []
    #expect(try isolation(spec) == .bubblewrap)
    spec.attempt = AttemptID(request: spec.attempt.request, slug: spec.slug, number: 2)
    spec.confinement = .init(isUnconfined: true)
    #expect(try isolation(spec) == .unconfined)
    // The image may need docker: where the account reaches it, it is there, and the outcome says so.
    spec.attempt = AttemptID(request: spec.attempt.request, slug: spec.slug, number: 3)
    spec.confinement = nil
    host.variables["DOCKER_HOST"] = "unix://\(host.scratch)/docker.sock"
    try OrdinaryUser.own(host.scratch)
    try withListener(host.scratch + "/docker.sock") {
      let found = try isolation(spec)
      #expect(found == .docker)
    }
  }

  /// A host without bubblewrap builds nothing, unless it is allowed to.
  @Test(arguments: [false, true]) func withoutBubblewrap(_ isUnconfined: Bool) throws {
    let bin = host.scratch + "/few"
    try FileManager.default.createDirectory(atPath: bin, withIntermediateDirectories: true)
    for name in try FileManager.default.contentsOfDirectory(atPath: "/usr/bin") where name != "bwrap" {
      try FileManager.default.createSymbolicLink(atPath: "\(bin)/\(name)", withDestinationPath: "/usr/bin/\(name)")
    }
    host.variables["PATH"] = bin
    var spec = try sample.spec()
    spec.confinement = .init(isUnconfined: isUnconfined)
    try host.startWithSources(spec, of: sample)
    let outcome = try host.outcome(spec.attempt)
    if isUnconfined { return #expect(outcome.failure == nil && outcome.isolation == .unconfined) }
    let reason = outcome.failure?.reason ?? ""
    #expect(outcome.failure?.kind == .infrastructure && outcome.isolation == nil)
    #expect(reason.contains("bwrap is not installed; install the package bubblewrap ('apt-get install bubblewrap'"), "\(reason)")
    #expect(reason.contains("'isolation: none' in the host's file"), "\(reason)")
    let probe = try host.ask(ProbeReport.self, ["probe"])
    #expect(!probe.features.contains(.bubblewrap) && probe.sandboxObstacle?.contains("bwrap is not installed") == true)
  }
}
