import BuildModel
import CanonicalJSON
import Foundation
import TestPeers
import Testing

/// The program as an account's forced command.
struct ForcedCommandTests {
  private let host: WorkerHost
  init() throws { host = try WorkerHost() }

  @Test(arguments: [
    "probe", "blockfarm-worker probe", "'/opt/x/bin/blockfarm-worker' 'probe' --root /tmp", "  probe  ",
    "~/.blockfarm/bin/blockfarm-worker probe --root=/etc",
  ])
  func theClientsVerbIsRun(_ command: String) throws {
    let answer = try host.run(["--root", host.root], environment: ["SSH_ORIGINAL_COMMAND": command])
    #expect(answer.status == 0, "\(answer.errors)")
    #expect(answer.lines.count == 1)
    #expect(FileManager.default.fileExists(atPath: host.root))
    #expect(!FileManager.default.fileExists(atPath: "/etc/attempts"))
  }

  @Test(arguments: [
    "run 01890000-0000-7000-8000-000000000001.x.1 --lock-descriptor 0", "sh -c id", "probe; id", "probe $(id)", "probe `id`", "probe | id",
    "probe > x",
    "probe\nid", "'probe", "", "/bin/sh", "blockfarm-worker", "help",
  ])
  func nothingElseIs(_ command: String) throws {
    let answer = try host.run(["--root", host.root], environment: ["SSH_ORIGINAL_COMMAND": command])
    // An empty command is what SSH sets for none: the program then shows its usage.
    #expect(answer.status == (command.isEmpty ? 0 : 2), "\(answer)")
    #expect(!answer.lines.joined().contains("uid="))
  }

  @Test func verbsOfTheArgumentsComeFirst() throws {
    let answer = try host.run(["list"], environment: ["SSH_ORIGINAL_COMMAND": "probe"])
    #expect(answer.lines == ["[]"])
  }

  @Test func rootIsRefusedByTheSpec() throws {
    guard getuid() == 0 else { return }
    let spec = try SampleRepository.shared().spec()
    let text = try Tool.end(of: [host.program, "start", "--root", host.root], input: Array(try CanonicalJSON.encode(spec))).output
    #expect(text.contains("refused") && text.contains("runs as root"))
  }

  @Test func usageErrorsEndWithTwo() throws {
    #expect(try host.run(["frobnicate"]).status == 2)
    #expect(try host.run(["attach"]).status == 2)
    #expect(try host.run(["start"], input: Data()).status == 2)
    let refused = try host.run(["start"], input: Data("{}\n".utf8))
    #expect(refused.status == 0 && refused.lines.first?.contains("refused") == true)
    #expect(try host.run(["source", "put", "x", "y"]).status == 2)
  }
}
