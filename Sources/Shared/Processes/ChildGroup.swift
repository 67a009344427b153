import Glibc

/// The process group and session that a child is started in.
package enum ChildGroup: Hashable, Sendable {
  /// The caller's. A terminal's Ctrl-C reaches the child, and it may ask something there (ssh asks for a passphrase).
  case callers
  /// A process group of its own in the caller's session: signals for it reach what it starts, a terminal's signals do not.
  case own
  /// A session of its own, without a terminal.
  case session

  /// Signals that the child handles in the default way, whatever its caller does with them. In the caller's group the child ignores
  /// those of a terminal that its caller ignores (nohup, an orderly cancellation).
  var defaultSignals: sigset_t {
    var signals = sigset_t()
    sigfillset(&signals)
    if self == .callers { for number in [SIGHUP, SIGINT, SIGQUIT, SIGTERM] { sigdelset(&signals, number) } }
    return signals
  }
}
