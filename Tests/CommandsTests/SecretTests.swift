import Foundation
import Synchronization
import TestCloud
import TestPeers
import TestServers
import Testing

/// What other processes of this machine learn of the secrets that blockfarm was given.
@Suite struct SecretTests {
  private static let token = "bf-attack-" + UUID().uuidString.lowercased()

  /// A build script runs as the same account as the coordinator. It looks for the token in the environment and in the memory of every blockfarm that it
  /// can see, and in all that it was given itself.
  private static let attack = """
    #!/bin/bash
    python3 - <<'END'
    import os, re
    token = re.compile(b"bf-" + b"attack-[0-9a-f-]{36}")
    print("NOTE: the attack runs")
    def look(place, data):
        for found in set(token.findall(data)):
            print("NOTE: found in", place, found.decode()[::-1])
    look("own environment", "".join(os.environ.values()).encode())
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if open(f"/proc/{pid}/comm").read().strip() != "blockfarm":
                continue
            print("NOTE: the attack sees a blockfarm")
        except OSError:
            continue
        for file in ("environ", "cmdline"):
            try:
                look(f"{file} of a blockfarm", open(f"/proc/{pid}/{file}", "rb").read())
            except OSError:
                pass
        try:
            maps, memory = open(f"/proc/{pid}/maps").read(), open(f"/proc/{pid}/mem", "rb", 0)
        except OSError:
            continue
        for line in maps.splitlines():
            words = line.split()
            if not words[1].startswith("rw"):
                continue
            start, end = (int(value, 16) for value in words[0].split("-"))
            if end - start > 1 << 28:
                continue
            try:
                memory.seek(start)
                look("memory of a blockfarm", memory.read(end - start))
            except (OSError, ValueError, OverflowError):
                pass
    END

    """

  @Test func buildScriptsCannotReadTheToken() async throws {
    try await withTestCloud(hasRegistry: false) { cloud in
      let farm = try SampleFarm(extra: "environments: {lab: {api: \"\(cloud.url)\", token: \"env:LAB_TOKEN\"}}\n")
      try farm.edit("balena-yocto-scripts/build/barys", "#!/bin/bash\n", Self.attack)
      let built = try farm.start(
        ["build", "--local", "--allow-dirty", "-m", "acme-board7", "--env", "lab", "--json"], variables: ["LAB_TOKEN": Self.token], limit: 180
      ).wait()
      #expect(built.status == 0, "\(built.errors)")
      let log = try farm.run("logs", "acme-board7")
      #expect(log.output.contains("the attack runs"), "\(log)")
      #expect(!log.output.contains("found in"), "\(log.output.split(separator: "\n").filter { $0.contains("found in") })")
    }
  }

  /// The files in /proc of the blockfarm that these tests have started, read while it waits for an answer. Every user may read some of them, root all.
  private static func files(_ names: [String], of parent: pid_t) -> [[UInt8]] {
    let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    let own = processes.filter { pid in
      guard let status = try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8) else { return false }
      return status.hasPrefix("Name:\tblockfarm\n") && status.contains("\nPPid:\t\(parent)\n")
    }
    return own.flatMap { pid in names.map { name in (try? Data(contentsOf: URL(filePath: "/proc/\(pid)/\(name)"))).map(Array.init) ?? [] } }
  }

  /// Root finds nothing either in what the kernel keeps of the program's start, and a crash leaves no file in a job's workspace.
  @Test func environmentIsOverwrittenAndNoCoreIsLeft() throws {
    let environments = Mutex<[[UInt8]]>([])
    let limits = Mutex<[[UInt8]]>([])
    let tests = getpid()
    let server = try FaultServer { _, _ in
      environments.withLock { $0 += Self.files(["environ"], of: tests) }
      limits.withLock { $0 += Self.files(["limits"], of: tests) }
      return Reply.send(401)
    }
    defer { server.stop() }
    let farm = try SampleFarm(extra: "environments: {lab: {api: \"\(server.origin)\", token: \"env:LAB_TOKEN\"}}\n")
    let shown = try farm.start(["release", "show", "acme-board7", "1.0.0", "--env", "lab"], variables: ["LAB_TOKEN": Self.token]).wait()
    #expect(server.requests.contains { $0.field("Authorization") == "Bearer \(Self.token)" }, "\(shown)")
    #expect(environments.withLock { $0 }.allSatisfy { $0.allSatisfy { $0 == 0 } })
    let cores = limits.withLock { $0 }.map { file in
      String(decoding: file, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("Max core file size") }?.split(separator: " ").dropFirst(4)
        .prefix(2)
    }
    #expect(!cores.isEmpty && cores.allSatisfy { $0 == ["0", "0"] }, "\(cores)")
  }
}
