import Foundation
import Processes
import Testing

extension ProcessesTests {
  /// Time, output, and what a child that broke a limit leaves.
  @Suite struct LimitTests {
    private func run(_ script: String, silent: Double = 100, total: Double = 100) throws -> ChildEnd {
      try ChildProcess.run(shell(script), limits: ChildLimits(silentSeconds: silent, deadline: MonotonicClock.now + total)) { _ in }
    }

    @Test func silenceAndDeadlineEndAChild() throws {
      #expect(try run("echo x; exec sleep 1000", silent: 0.2) == .silent)
      #expect(try run("while :; do echo x; sleep 0.05; done", silent: 20, total: 0.5) == .overdue)
    }

    /// The caller may know better than the clock: what a child writes need not mean that it gets on.
    @Test func aVerdictEndsTheWait() throws {
      let busy = shell("while :; do echo x; sleep 0.01; done")
      var asked = 0
      let limits = ChildLimits(silentSeconds: 100, deadline: MonotonicClock.now + 100)
      let end = try ChildProcess.run(
        busy, limits: limits,
        verdict: {
          asked += 1
          return asked == 3 ? .silent : nil
        }
      ) { _ in }
      #expect(end == .silent && asked == 3)
      // Also of a child that writes nothing.
      let quiet = shell("exec sleep 1000")
      let start = MonotonicClock.now
      #expect(try ChildProcess.run(quiet, limits: limits, verdict: { MonotonicClock.now - start > 0.5 ? .overdue : nil }) { _ in } == .overdue)
    }

    /// A child that writes faster than its output is taken: there is always more to read, and its limits count all the same.
    @Test func aChildThatNeverStopsWritingIsOverdue() throws {
      let start = MonotonicClock.now
      var sum = 0
      let end = try ChildProcess.run(shell("exec cat /dev/zero"), limits: .total(0.3)) { piece in
        for byte in piece { sum &+= Int(byte) }
        // Else this test would never end.
        if MonotonicClock.now - start > 20 { throw Refused() }
      }
      #expect(end == .overdue)
    }

    @Test func tooMuchOutputIsAnErrorAndEndsTheChild() throws {
      let (mark, tree) = mark()
      #expect { try ChildProcess.capture(shell("yes", environment: mark), seconds: 60, limit: 1000) } throws: {
        "\($0)" == "'sh' wrote more than 1000 bytes"
      }
      #expect(tree.members(of: nil).isEmpty)
      #expect(try ChildProcess.capture(shell("head -c 1000 /dev/zero"), seconds: 60, limit: 1000).output.utf8.count == 1000)
    }

    private struct Refused: Error {}

    /// Four of them: a child of the child, one in another session, and one below that; where the session is the caller's too.
    @Test(arguments: [ChildGroup.callers, .own, .session]) func allThatAChildStartedEndsWithIt(_ group: ChildGroup) throws {
      let (mark, tree) = mark()
      let up = "echo up; exec sleep 1000"
      let script = "sh -c '\(up)' & setsid sh -c '\(up)' & setsid -w sh -c 'setsid sh -c \"\(up)\" & echo up; wait' & trap '' TERM HUP; wait"
      var lines = 0
      #expect(throws: Refused.self) {
        try ChildProcess.run(shell(script, environment: mark), limits: .total(60), group: group) { piece in
          lines += piece.count { $0 == UInt8(ascii: "\n") }
          if lines == 4 {
            #expect(tree.members(of: nil).count >= 5)
            throw Refused()
          }
        }
      }
      #expect(tree.members(of: nil).isEmpty)
    }

    /// What a daemon holds open is not waited for, and it is found by its mark.
    @Test func aDaemonDoesNotKeepTheRun() throws {
      let (mark, tree) = mark()
      let start = MonotonicClock.now
      let (end, output) = try ChildProcess.capture(shell("setsid sleep 1000 & echo done", environment: mark), seconds: 60)
      #expect(end == .exited(0) && output == "done\n")
      #expect(MonotonicClock.now - start < 30)
      #expect(tree.members(of: nil).count == 1)
      #expect(tree.end(of: nil, grace: 5) == (any: true, gone: true))
      #expect(tree.members(of: nil).isEmpty)
    }

    @Test func aTailIsBoundedAndSafeToShow() {
      var tail = OutputTail(limit: 10)
      for number in 0..<1000 { tail.append(Array("line \(number)\n".utf8)) }
      #expect(tail.text == "line 999")
      tail.append(Array(repeating: UInt8(ascii: "x"), count: 1 << 20))
      #expect(tail.text == "xxxxxxxxxx")
      // A terminal obeys ESC [, and CSI, which is one character.
      #expect(OutputTail.printable("\u{1b}[31m\u{9b}0m\r\tü\n\n".utf8) == "?[31m?0m?\tü")
    }
  }
}
