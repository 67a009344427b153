import Foundation
import Processes
import Sandbox
import TestFiles
import TestGolden
import TestPeers
import Testing

/// The arguments that bubblewrap gets, and what a real one does with them.
struct SandboxTests {
  private let tools = Sandbox.Tools(bubblewrap: "/usr/bin/bwrap", prlimit: "/usr/bin/prlimit")

  @Test func argumentsAsTheyAre() throws {
    let sandbox = Sandbox(
      hidden: ["/home", "/var", "/run", "/home/builder", "/home/builder/.blockfarm", "/srv/state", "/tmp/root"],
      readable: ["/home/builder/.blockfarm/sources/a.git", "/run/docker.sock"],
      writable: ["/home/builder/.blockfarm/work/0", "/home/builder/.blockfarm/cache/downloads"], devices: ["/dev/kvm"],
      temporary: "/home/builder/.blockfarm/tmp/7", processLimit: 100, tools: tools)
    let command = sandbox.command(Command("./barys", ["-m", "x"], environment: ["PATH": "/bin"], directory: "/home/builder/.blockfarm/work/0"))
    let words = ([command.program] + command.arguments).joined(separator: " ")
    try Golden.check("arguments", words.replacing(" --", with: "\n--") + "\n")
  }

  @Test func theEnvironmentLeadsToNoDaemon() {
    let host = [
      "PATH": "/bin", "HOME": "/root", "SSH_AUTH_SOCK": "/a", "SSH_AGENT_PID": "1", "DBUS_SESSION_BUS_ADDRESS": "x", "XDG_RUNTIME_DIR": "/run/user/1",
      "DOCKER_HOST": "unix:///d", "DOCKER_CONFIG": "/c", "http_proxy": "http://p", "GPG_AGENT_INFO": "x", "TMPDIR": "/t",
    ]
    let inside = ["PATH": "/bin", "HOME": "/tmp/home", "TMPDIR": "/tmp", "http_proxy": "http://p"]
    #expect(Sandbox.environment(from: host, keepsDocker: false) == inside)
    #expect(Sandbox.environment(from: host, keepsDocker: true) == inside.merging(["DOCKER_HOST": "unix:///d"]) { $1 })
  }

  @Test func systemDirectoriesAreNotHidden() {
    let places = HostPlaces(hiding: ["/", "/usr", "/nonexistent", "relative", "/etc"], searchPath: ["/usr/bin", "/home"])
    #expect(Set(places.hidden).isDisjoint(with: ["/", "/usr", "/etc"]) && places.hidden.contains("/run"))
    #expect(!places.readable.contains("/home"))
  }

  // MARK: with the real program

  /// A sandbox of this host as an ordinary user's, below a directory of that user's.
  private func sandbox(in scratch: String, limit: Int = Sandbox.processes) throws -> Sandbox {
    let places = HostPlaces(hiding: [], searchPath: [])
    let temporary = scratch + "/tmp"
    try FileManager.default.createDirectory(atPath: temporary, withIntermediateDirectories: true)
    let sandbox = Sandbox(
      hidden: places.hidden, readable: places.readable, writable: [], temporary: temporary, linksRun: places.linksRun, processLimit: limit,
      tools: try SandboxObstacle.tools(path: "/usr/local/bin:/usr/bin:/bin"))
    try sandbox.prepare()
    try OrdinaryUser.own(scratch)
    return sandbox
  }

  /// Runs a Python script to its end as an ordinary user, in the sandbox or not; its output.
  private func python(_ script: String, in sandbox: Sandbox?) throws -> String {
    var command = Command("/usr/bin/python3", ["-c", script], environment: ["PATH": "/usr/bin:/bin"], directory: "/")
    if let sandbox { command = sandbox.command(command) }
    return try Tool.run(OrdinaryUser.words + [command.program] + command.arguments, environment: command.environment, directory: "/")
      .trimmingCharacters(in: .whitespacesAndNewlines)
  }

  @Test func itStarts() throws {
    try withScratchDirectory { scratch in try SandboxObstacle.tryOut(sandbox(in: scratch)) }
  }

  @Test func whatKeepsItFromStartingIsNamed() throws {
    #expect(throws: SandboxObstacle.missing(program: "bwrap", package: "bubblewrap")) { try SandboxObstacle.tools(path: "/nonexistent") }
    try withScratchDirectory { scratch in
      var broken = try sandbox(in: scratch)
      broken.writable = [scratch + "/absent"]
      let error = #expect(throws: SandboxObstacle.self) { try SandboxObstacle.tryOut(broken) }
      #expect(error?.description.contains("absent: No such file or directory") == true, "\(error?.description ?? "")")
    }
  }

  /// 200 children at once; with a limit of 50 they are never that many.
  @Test(arguments: [false, true]) func aForkBombIsBounded(_ isConfined: Bool) throws {
    let script = """
      import os, signal, time
      children = []
      try:
        while len(children) < 200:
          child = os.fork()
          if child == 0:
            time.sleep(60)
            os._exit(0)
          children.append(child)
      except OSError:
        pass
      print(len(children))
      for child in children: os.kill(child, signal.SIGKILL)
      """
    try withScratchDirectory { scratch in
      let count = try #require(Int(try python(script, in: isConfined ? sandbox(in: scratch, limit: 50) : nil)))
      #expect(isConfined ? count < 50 : count == 200)
    }
  }

  /// A daemon in a session of its own, without any mark.
  @Test(arguments: [false, true]) func whatCalledSetsidEndsWithIt(_ isConfined: Bool) throws {
    let mark = "outlives-\(UUID().uuidString)"
    let script = """
      import os
      if os.fork() == 0:
        os.setsid()
        null = os.open("/dev/null", os.O_RDWR)
        for stream in (0, 1, 2): os.dup2(null, stream)
        os.execve("/usr/bin/python3", ["python3", "-c", "import time; time.sleep(120)", "\(mark)"], dict())
      """
    try withScratchDirectory { scratch in _ = try python(script, in: isConfined ? sandbox(in: scratch) : nil) }
    let found = try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { pid_t($0) }.filter {
      String(decoding: FileManager.default.contents(atPath: "/proc/\($0)/cmdline") ?? Data(), as: UTF8.self).contains(mark)
    }
    for pid in found { kill(pid, SIGKILL) }
    #expect(found.count == (isConfined ? 0 : 1))
  }

  @Test func killingAllEndsItselfAlone() throws {
    try withChild(OrdinaryUser.words + ["sleep", "60"]) { bystander in
      try withScratchDirectory { scratch in
        let output = try python("import os\ntry: os.kill(-1, 9)\nexcept OSError: pass\nprint('on')", in: sandbox(in: scratch))
        #expect(output == "on")
        #expect(kill(bystander.pid, 0) == 0)
      }
    }
  }

  /// What is written to /tmp is the attempt's, and goes with it.
  @Test(arguments: [false, true]) func temporaryFilesAreItsOwn(_ isConfined: Bool) throws {
    let name = "full-\(UUID().uuidString)"
    let script = "import os\nfor place in ('/tmp', '/var/tmp'): open(place + '/\(name)', 'wb').write(bytes(1 << 20))\n"
    try withScratchDirectory { scratch in
      _ = try python(script, in: isConfined ? sandbox(in: scratch) : nil)
      for place in ["/tmp", "/var/tmp"] { #expect(FileManager.default.fileExists(atPath: "\(place)/\(name)") != isConfined) }
      #expect(FileManager.default.fileExists(atPath: "\(scratch)/tmp/\(name)") == isConfined)
    }
    for place in ["/tmp", "/var/tmp"] { try? FileManager.default.removeItem(atPath: "\(place)/\(name)") }
  }
}
