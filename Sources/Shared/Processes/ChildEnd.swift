import CLinux

/// How a child ended.
package enum ChildEnd: Hashable, Sendable {
  case exited(Int32)
  case signalled(Int32)
  /// It wrote nothing for the silent limit, was still running at its deadline, or the caller was asked to cancel.
  case silent, overdue, cancelled

  /// From a status as wait(2) gives it.
  init(waitStatus status: Int32) {
    let signal = status & 0x7f
    self = signal == 0 ? .exited(status >> 8 & 0xff) : .signalled(signal)
  }

  /// A signal's name without `SIG`, as SSH sends it (RFC 4254, section 6.10), for example `KILL`; the number of a signal that has no name.
  package static func signalName(_ number: Int32) -> String {
    sigabbrev_np(number).map { String(cString: $0) } ?? String(number)
  }
}
