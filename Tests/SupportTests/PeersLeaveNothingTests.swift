import Foundation
import TestFiles
import TestPeers
import Testing

/// Whatever a test does with a peer, no process, port or directory of the peer outlives its closure.
@Suite struct PeersLeaveNothingTests {
  struct Failure: Error {}

  /// What a peer leaves visible while it runs.
  struct Traces {
    var pids: [pid_t]
    var directory: String
    var port: UInt16?
  }

  private func expectNothing(of traces: Traces, sourceLocation: SourceLocation = #_sourceLocation) {
    for pid in traces.pids {
      let words = String(decoding: FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data(), as: UTF8.self)
      #expect(!ProcessTable.isRunning(pid), "\(pid) still runs: \(words)", sourceLocation: sourceLocation)
    }
    #expect(ProcessTable.processes(below: traces.directory) == [], sourceLocation: sourceLocation)
    #expect(!FileManager.default.fileExists(atPath: traces.directory), sourceLocation: sourceLocation)
    if let port = traces.port { #expect(LoopbackSocket.connect(port: port) == nil, sourceLocation: sourceLocation) }
  }

  @Test(arguments: [false, true]) func sshd(isOrdinaryUser: Bool) throws {
    var settings = PrivateSSHD.Settings()
    settings.isOrdinaryUser = isOrdinaryUser
    var traces: Traces?
    #expect(throws: Failure.self) {
      try withPrivateSSHD(settings) { host in
        let command = [
          "ssh", "-p", "\(host.port)", "-i", host.identity, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o",
          "BatchMode=yes", "-o", "IdentitiesOnly=yes", "\(host.user)@127.0.0.1", "echo in; id -un; exec sleep 600",
        ]
        try withChild(command) { client in
          try client.waitFor("in\n\(host.user)\n", on: .output)
          let listener = try #require(host.listener)
          #expect(host.sessions().count >= 2)
          traces = Traces(pids: host.sessions() + [listener], directory: host.directory, port: host.port)
          throw Failure()
        }
      }
    }
    expectNothing(of: try #require(traces))
  }

  @Test func sshdStartsAgainOnItsPort() throws {
    try withPrivateSSHD { host in
      let port = host.port
      host.stop()
      #expect(LoopbackSocket.connect(port: port) == nil)
      try host.start()
      #expect(host.port == port && host.logLines.contains { $0.contains("Server listening on 127.0.0.1 port \(port)") })
    }
  }

  @Test func agent() async throws {
    try await withScratchDirectory { scratch in
      try SSHKey.make(scratch + "/key")
      var found: Traces?
      await #expect(throws: Failure.self) {
        try await withPrivateAgent(keys: [scratch + "/key"]) { socket in
          let directory = URL(filePath: socket).deletingLastPathComponent().path
          found = Traces(pids: ProcessTable.processes(below: directory), directory: directory)
          #expect(found?.pids.count == 1)
          let listed = try Tool.run(["ssh-add", "-l"], environment: Tool.environment.merging(["SSH_AUTH_SOCK": socket]) { $1 })
          #expect(listed.contains(try SSHKey.fingerprint(scratch + "/key.pub")))
          throw Failure()
        }
      }
      expectNothing(of: try #require(found))
    }
  }

  @Test func registry() throws {
    var traces: Traces?
    #expect(throws: Failure.self) {
      try withScratchDirectory { scratch in
        try withDockerRegistry(in: scratch) { registry in
          #expect(try Tool.run("curl", "-sf", "http://\(registry.address)/v2/") == "{}")
          traces = Traces(pids: ProcessTable.processes(below: scratch), directory: scratch, port: registry.port)
          throw Failure()
        }
      }
    }
    expectNothing(of: try #require(traces))
  }

  @Test func fileServer() throws {
    try withScratchDirectory { scratch in
      try write(Array("hello".utf8), to: scratch + "/greeting")
      var traces: Traces?
      #expect(throws: Failure.self) {
        try withFileServer(over: scratch) { server in
          let pid = try #require(ProcessTable.processes(below: scratch).first)
          traces = Traces(pids: [pid], directory: scratch + "/none", port: UInt16(server.url.split(separator: ":").last ?? ""))
          #expect(try Tool.run("curl", "-s", server.url + "/greeting") == "hello")
          try server.fault(["/greeting": "503"])
          _ = try Tool.run("curl", "-s", server.url + "/greeting")
          #expect(try server.requests() == ["/greeting 200", "/greeting 503"])
          throw Failure()
        }
      }
      expectNothing(of: try #require(traces))
    }
  }

  @Test(.enabled(if: getuid() == 0, "dockerd needs root")) func dockerd() throws {
    var traces: Traces?
    try withScratchDirectory { scratch in
      #expect(throws: Failure.self) {
        try withDockerDaemon(dataRoot: scratch + "/data") { daemon in
          let directory = URL(filePath: String(daemon.host.dropFirst("unix://".count))).deletingLastPathComponent().path
          let pids = ProcessTable.processes(below: directory)
          traces = Traces(pids: pids + pids.flatMap(ProcessTable.descendants), directory: directory)
          #expect(pids.count >= 2, "dockerd and its containerd")
          #expect(try daemon.run("images", "--quiet") == "")
          throw Failure()
        }
      }
      let mounts = try String(contentsOfFile: "/proc/mounts", encoding: .utf8)
      #expect(!mounts.contains(scratch))
    }
    expectNothing(of: try #require(traces))
  }

  /// The kernel ends the peers of a test program that is killed itself: here the test cloud's, whose registry is a child like any other.
  @Test func aKilledProgramTakesItsPeersAlong() throws {
    try withChild([try Project.program("test-cloud"), "--json"]) { cloud in
      try cloud.waitFor("\n", on: .output)
      let registry = try #require(ProcessTable.descendants(of: cloud.pid).first)
      let line = cloud.text(of: .output)
      let port = try #require(line.firstMatch(of: /"registry":"127\.0\.0\.1:(\d+)"/).flatMap { UInt16($0.1) })
      #expect(LoopbackSocket.connect(port: port) != nil)
      cloud.signal(SIGKILL)
      #expect(cloud.wait().status == 128 + SIGKILL)
      #expect(ProcessTable.waitForEnd(of: registry, seconds: 20))
      #expect(LoopbackSocket.connect(port: port) == nil)
    }
  }
}
