import Foundation
import TestFiles
import TestPeers
import Testing

/// Programs that tests start.
@Suite struct ChildTests {
  @Test func givesStatusAndBothStreams() throws {
    let ended = try Child(["sh", "-c", "echo out; echo err >&2; exit 3"]).wait()
    #expect(ended.status == 3 && ended.output == "out\n" && ended.errors == "err\n")
    #expect(try Child(["sh", "-c", "kill -TERM $$"]).wait().status == 128 + SIGTERM)
  }

  @Test func takesInputDirectoryAndEnvironment() throws {
    try withScratchDirectory { scratch in
      let ended = try Child(
        ["sh", "-c", "cat; pwd; echo $WORD"], environment: ["PATH": "/usr/bin:/bin", "WORD": "x"], directory: scratch,
        input: .bytes(Array(String(repeating: "a", count: 200_000).utf8))
      ).wait()
      #expect(ended.output == String(repeating: "a", count: 200_000) + "\(scratch)\nx\n")
    }
  }

  @Test func inputStaysOpenUntilTheEnd() throws {
    try withChild(["sh", "-c", "echo up; cat; echo over"], input: .open) { child in
      try child.waitFor("up", on: .output)
      #expect(throws: PeerError.self) { try child.waitFor("over", on: .output, seconds: 0.3) }
    }
  }

  @Test func aProgramThatIsNotThereIsAnError() throws {
    let error = #expect(throws: PeerError.self) { try Tool.run("no-such-program") }
    #expect(error?.description.hasPrefix("no-such-program ended with 127: ") == true)
  }

  @Test func aToolThatFailsIsAnErrorWithItsWords() throws {
    let error = #expect(throws: PeerError.self) { try Tool.run("sh", "-c", "echo why >&2; exit 1") }
    #expect(error?.description == "sh -c echo why >&2; exit 1 ended with 1: why\n")
    #expect(try Tool.end(of: ["sh", "-c", "exit 7"]).status == 7)
  }

  /// What it prints beyond the bound is read, so that it does not block, and is not kept.
  @Test func keepsNoMoreThanItsBound() throws {
    let ended = try Child(["head", "-c", "1000000", "/dev/zero"], outputLimit: 1000).wait()
    #expect(ended.status == 0 && ended.output.utf8.count == 1000)
  }

  @Test func isKilledWithItsGroupAfterItsLimit() throws {
    try withScratchDirectory { scratch in
      let began = ContinuousClock.now
      let ended = try Child(["sh", "-c", "sleep 600 & sleep 600"], directory: scratch, limit: 0.3).wait()
      #expect(ended.status == 128 + SIGKILL && ended.errors.contains("killed after 0.3 s"))
      #expect(ContinuousClock.now - began < .seconds(60))
      #expect(ProcessTable.processes(below: scratch) == [])
    }
  }

  @Test func itsLinesCanBeWaitedFor() throws {
    try withChild(["sh", "-c", "echo ready 17; exec sleep 600"]) { child in
      try child.waitFor("ready", on: .output)
      #expect(child.line(after: "ready ", on: .output) == "17")
    }
    let error = #expect(throws: PeerError.self) {
      try withChild(["sh", "-c", "echo something else >&2; exit 4"]) { try $0.waitFor("ready") }
    }
    #expect(error?.description.contains("never said 'ready' and ended with 4: something else") == true)
  }

  /// A pipe of the tests that a program inherits would never be at its end.
  @Test func inheritsNothing() throws {
    try withChild(["sleep", "600"]) { _ in
      let names = try Tool.run("sh", "-c", "ls /proc/$$/fd").split(separator: "\n")
      #expect(names.count <= 4, "\(names)")
    }
  }

  /// Asked first, then killed.
  @Test func endsInOrder() throws {
    let polite = try Child(["sh", "-c", "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done"])
    try polite.waitFor("up", on: .output)
    polite.end(grace: 30)
    #expect(polite.wait().status == 0 && polite.wait().output == "up\nbye\n")
    let deaf = try Child(["sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.05; done"])
    try deaf.waitFor("up", on: .output)
    deaf.end(grace: 0.2)
    #expect(deaf.wait().status == 128 + SIGKILL)
  }
}
