import Foundation
import Glibc
import Testing
import Yocto

/// A client that waits for a server that is gone.
struct BitbakeServerWatchTests {
  @Test func aClientAloneForTwoMinutesIsTooMuch() {
    var watch = BitbakeServerWatch()
    let looks: [(Set<BitbakeServerWatch.Role>, Double)] = [
      ([], 0), ([.client], 10), ([.client, .server], 100), ([.client], 1000), ([.client], 1119), ([.client], 1120),
      // Its end: the run is over by itself then.
      ([], 1130), ([.client], 2000),
    ]
    let gone = looks.map { watch.isGone(roles: $0.0, now: $0.1) }
    #expect(gone == [false, false, false, false, false, true, false, false])
  }

  @Test(arguments: [
    ("python3", ["python3", "/t/layers/poky/bitbake/bin/bitbake", "hello"], BitbakeServerWatch.Role?.some(.client)),
    ("KnottyUI", ["python3", "/t/layers/poky/bitbake/bin/bitbake", "hello"], .client),
    ("python3.11", ["bitbake-server", "/t/layers/poky/bitbake/bin/bitbake-server", "decafbad"], .server),
    ("Cooker", ["bitbake-server", "/t/layers/poky/bitbake/bin/bitbake-server", "decafbad"], .server),
    // Until bitbake 1.44 the server is a fork of its client.
    ("Cooker", ["python3", "/t/layers/poky/bitbake/bin/bitbake", "hello"], .server),
    ("Parser-1:2", ["bitbake-server", "/t/layers/poky/bitbake/bin/bitbake-server", "decafbad"], nil),
    ("hello:compile", ["bitbake-worker", "/t/layers/poky/bitbake/bin/bitbake-worker", "decafbad"], nil),
    ("barys", ["/bin/bash", "/t/balena-yocto-scripts/build/barys", "--log"], nil), ("sh", [], nil),
  ])
  func processesHaveRoles(_ name: String, _ words: [String], _ role: BitbakeServerWatch.Role?) {
    #expect(BitbakeServerWatch.role(name: name, words: words) == role)
  }

  @Test func realProcessesAreRead() throws {
    let scratch = FileManager.default.temporaryDirectory.path + "/watch-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: scratch) }
    let processes = try ["bitbake", "bitbake-server"].map { name in
      try Data("echo ready; read line\n".utf8).write(to: URL(filePath: "\(scratch)/\(name)"))
      let process = Process()
      process.executableURL = URL(filePath: "/bin/sh")
      process.arguments = ["\(scratch)/\(name)"]
      let (input, output) = (Pipe(), Pipe())
      (process.standardInput, process.standardOutput) = (input, output)
      try process.run()
      #expect(output.fileHandleForReading.availableData.starts(with: Data("ready".utf8)))
      return (process, input)
    }
    let ids = processes.map(\.0.processIdentifier)
    #expect(BitbakeServerWatch.roles(of: ids) == [.client, .server])
    #expect(BitbakeServerWatch.roles(of: [ids[0]]) == [.client])
    for (process, input) in processes {
      try input.fileHandleForWriting.close()
      process.waitUntilExit()
    }
    #expect(BitbakeServerWatch.roles(of: ids) == [])
  }
}
