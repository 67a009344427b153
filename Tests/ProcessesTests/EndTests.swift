import Foundation
import Processes
import Testing

extension ProcessesTests {
  /// How children end, and how signals reach them.
  @Suite struct EndTests {
    @Test func statusAndSignalComeBack() throws {
      #expect(try ChildProcess.capture(shell("exit 3"), seconds: 20).end == .exited(3))
      #expect(try ChildProcess.capture(shell("exit 255"), seconds: 20).end == .exited(255))
      #expect(try ChildProcess.capture(shell("kill -9 $$"), seconds: 20).end == .signalled(SIGKILL))
      #expect(try ChildProcess.capture(shell("kill -TERM $$"), seconds: 20).end == .signalled(SIGTERM))
      #expect([SIGKILL, SIGTERM, SIGABRT, 33, 200].map(ChildEnd.signalName) == ["KILL", "TERM", "ABRT", "33", "200"])
    }

    /// A launcher may leave SIGCHLD ignored, and the kernel then forgets how children end.
    @Test func anEndIsSeenWhereSIGCHLDWasIgnored() throws {
      let before = signal(SIGCHLD, SIG_IGN)
      defer { signal(SIGCHLD, before) }
      #expect(try ChildProcess.capture(shell("exit 3"), seconds: 20).end == .exited(3))
    }

    /// An end that somebody else has taken cannot be made up.
    @Test func anEndThatIsLostIsAnError() throws {
      var child = try ChildProcess.spawn(shell("exit 3"), group: .own)
      var status: Int32 = 0
      #expect(waitpid(child.id, &status, 0) == child.id)
      do {
        _ = try child.reap()
        Issue.record("an end was made up")
      } catch {
        #expect(error == .system(operation: "wait for", subject: "sh", errno: ECHILD))
      }
    }

    @Test func aSignalReachesWhatAChildStarted() throws {
      var pipe = try ChildPipe.output(of: "sh")
      var child = try ChildProcess.spawn(
        shell("sh -c 'echo up; exec sleep 1000' & wait"), descriptors: ChildDescriptors(output: pipe.childEnd), group: .own)
      let output = pipe.takeOwn()
      _ = consume pipe
      defer { close(output) }
      var bytes: [UInt8] = [0, 0, 0]
      #expect(read(output, &bytes, 3) == 3)
      #expect(try child.reap() == nil)
      child.signal(SIGTERM)
      #expect(try child.wait() == .signalled(SIGTERM))
      // What the child started has its output until it is ended by the same signal.
      var polled = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
      #expect(poll(&polled, 1, 20_000) == 1 && read(output, &bytes, 1) == 0)
      // The number may be another's now.
      child.signal(SIGKILL)
      #expect(try child.reap() == .signalled(SIGTERM))
    }

    /// Fields 5 and 6 of proc_pid_stat(5).
    @Test func aChildIsInTheGroupThatWasAskedFor() throws {
      for (group, wanted) in [(ChildGroup.callers, [getpgrp(), getsid(0)]), (.own, [-1, getsid(0)]), (.session, [-1, -1])] {
        let found = try words("echo $$; cut -d ' ' -f 5,6 /proc/$$/stat", group: group).compactMap { pid_t($0) }
        #expect(Array(found.dropFirst()) == wanted.map { $0 == -1 ? found[0] : $0 })
      }
    }

    /// Nothing is blocked. What the caller ignores a child ignores only where both share a terminal, and only a terminal's signals.
    @Test func signalsAreAtTheirDefaults() throws {
      var all = sigset_t()
      var before = sigset_t()
      sigfillset(&all)
      pthread_sigmask(SIG_BLOCK, &all, &before)
      // A shell that starts the tests in the background has set the terminal's other signal to be ignored, too.
      let handlers = [SIGINT, SIGUSR1, SIGPIPE].map { ($0, signal($0, SIG_IGN)) } + [(SIGQUIT, signal(SIGQUIT, SIG_DFL))]
      defer {
        pthread_sigmask(SIG_SETMASK, &before, nil)
        for (number, handler) in handlers { signal(number, handler) }
      }
      let script = "exec sed -n 's/^Sig\\(Blk\\|Ign\\):.//p' /proc/self/status"
      // 32 and 33 are glibc's own, and no program's business.
      let internals: UInt64 = 0b11 << 31
      for (group, ignored) in [(ChildGroup.session, 0), (.own, 0), (.callers, UInt64(1) << (SIGINT - 1))] {
        let found = try words(script, group: group).compactMap { UInt64($0, radix: 16) }
        #expect(found.map { $0 & ~internals } == [0, ignored])
      }
    }
  }
}
