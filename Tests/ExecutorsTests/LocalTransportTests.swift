import Foundation
import TestFiles
import Testing

@testable import Executors

@Suite struct LocalTransportTests {
  private func local() throws -> LocalTransport { LocalTransport(loop: try testLoop()) }

  @Test func streamsBothWaysAndTellsTheExit() async throws {
    let bytes = noise(9 << 20)
    let answer = try await local().exchange(["sha256sum"], input: bytes)
    #expect(answer.text.count == 68)
    let back = try await local().shell("head -c 9000000 /dev/zero; head -c 6000000 /dev/zero | tr '\\0' x >&2; echo; exit 9")
    #expect(back.output.count == 9_000_001)
    #expect(back.exit.status == 9)
    #expect(back.exit.standardError.utf8.count == 8 << 10)
    #expect(try await local().shell("kill -9 $$").exit.signal == "KILL")
    #expect(try await local().shell("exit 3", input: bytes).exit.status == 3)
  }

  @Test func keepsTheEnvironmentToItself() async throws {
    setenv("BALENAOS_STAGING_TOKEN", "secret-of-the-test", 1)
    let answer = try await local().exchange(["env"])
    #expect(answer.text.contains("PATH="))
    #expect(!answer.text.contains("secret-of-the-test"))
  }

  @Test func endsTheWholeGroupWhenTheScopeEnds() async throws {
    let pids = try await local().withProcess(
      RemoteCommand(["sh", "-c", "trap '' TERM; sleep 1000 & echo $$ $!; wait; sleep 1000"]), limits: ProcessLimits()
    ) { process in
      let text = String(decoding: try await process.read() ?? [], as: UTF8.self)
      return text.split(whereSeparator: \.isWhitespace).compactMap { pid_t($0) }
    }
    #expect(pids.count == 2)
    // The group's leader was waited for; what it leaves is killed by the same signal and reaped by init.
    #expect(kill(pids[0], 0) == -1)
    let state = (try? String(contentsOfFile: "/proc/\(pids[1])/stat", encoding: .utf8)) ?? ") gone"
    #expect(state.contains(") Z") || state.contains("gone"))
  }

  @Test func canBeCancelledAndTimesOut() async throws {
    let local = try local()
    let error = await failure { try await local.exchange(["sleep", "1000"], limits: ProcessLimits(silence: .milliseconds(100))) }
    guard case .timedOut("local", _, _) = error as? ExecutorError else {
      Issue.record("\(String(describing: error))")
      return
    }
    let task = Task { try await local.exchange(["sleep", "1000"]) }
    task.cancel()
    let result = try await within(.seconds(5)) { await task.result }
    #expect(throws: CancellationError.self) { try result.get() }
  }

  @Test func tellsAProgramThatIsNotThere() async throws {
    let error = await failure { try await local().exchange(["/nowhere/blockfarm-worker", "probe"]) }
    #expect(error as? ExecutorError == .childProcess(host: "local", reason: "run /nowhere/blockfarm-worker: No such file or directory"))
  }

  /// A worker that stays (its runner does) must not hold what the coordinator has open.
  @Test func hasNoForeignDescriptors() async throws {
    let unmarked = open("/dev/zero", O_RDONLY)
    defer { close(unmarked) }
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(unmarked)") == "/dev/zero")
    let found = try await local().exchange(["ls", "-l", "/proc/self/fd"]).text
    #expect(found.contains(" 0 -> socket:"), "the list is of the child's descriptors")
    #expect(!found.contains("/dev/zero"))
  }

  /// Output and error output that never pause: a wait alone would never see the limit.
  @Test(arguments: ["yes", "yes >&2", "yes | tee /dev/stderr"])
  func aChildThatIsNeverQuietIsTimedOut(script: String) async throws {
    let local = try local()
    let error = try await within(.seconds(20)) {
      await failure { try await local.exchange(["sh", "-c", script], limits: ProcessLimits(silence: .seconds(10), total: .milliseconds(500))) }
    }
    guard case .timedOut("local", "waiting for output", _) = error as? ExecutorError else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test func whatFollowsAnAnswerIsBounded() async throws {
    let local = try local()
    let error = try await within(.seconds(20)) {
      await failure { try await local.withProcess(RemoteCommand(["yes"]), limits: ProcessLimits()) { try await $0.waitForExit() } }
    }
    #expect(error as? ExecutorError == .malformed(host: "local", what: "more than 16 MiB after the end of its answer"))
  }
}
