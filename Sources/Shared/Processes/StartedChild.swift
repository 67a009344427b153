import CLinux
import Glibc

/// A child that was started, until its end has been taken. It has one owner; nothing else may wait for it.
package struct StartedChild: ~Copyable {
  package let id: pid_t
  /// Polls readable once the child has ended; -1 where the kernel has no such descriptor (before Linux 5.3) or none is free. Closed with the value.
  package let endDescriptor: Int32
  /// The error number that says why there is no `endDescriptor`; 0 when there is one.
  package let watchFailure: Int32
  /// How it ended, once that has been taken.
  package private(set) var end: ChildEnd?
  private let program: String

  init(id: pid_t, program: String) {
    self.id = id
    self.program = program
    endDescriptor = blockfarm_pidfd_open(id)
    watchFailure = endDescriptor < 0 ? errno : 0
  }

  deinit { if endDescriptor >= 0 { close(endDescriptor) } }

  /// Takes the child's end if it has come; nil while the child runs. With `strays` every other ended child of the caller is collected, too,
  /// which is for a caller that adopted orphans and has no second child. Throws when the end was taken by somebody else.
  @discardableResult
  package mutating func reap(strays: Bool = false) throws(ProcessError) -> ChildEnd? {
    var status: Int32 = 0
    while end == nil {
      let found = waitpid(strays ? -1 : id, &status, WNOHANG)
      if found == 0 { return nil }
      if found == id { end = ChildEnd(waitStatus: status) }
      if found < 0, errno != EINTR { throw .system(operation: "wait for", subject: program, errno: errno) }
    }
    return end
  }

  /// Sends a signal to the child, and to what it started if it leads a process group. Does nothing once its end was taken: the number may be another's.
  package func signal(_ number: Int32) {
    guard end == nil else { return }
    if Glibc.kill(-id, number) != 0 { Glibc.kill(id, number) }
  }

  /// Ends the child at once with all that it started (see ``ProcessTree/killAll(of:)``) and takes its end.
  package mutating func kill() {
    guard end == nil else { return }
    ProcessTree.killAll(of: id)
    // Of a process that the kernel cannot end now (its disk does not answer) a zombie may stay, but nobody waits for it here.
    let limit = MonotonicClock.now + 10
    while MonotonicClock.now < limit {
      do { if try reap() != nil { return } } catch { return }
      poll(nil, 0, 5)
    }
  }
}
