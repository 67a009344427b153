import CLinux
import Glibc

/// SIGTERM and SIGINT as something that can be polled: the way a runner learns that it is to cancel.
package final class Interruption {
  /// Polls readable once a signal has come.
  let descriptor: Int32
  private var hasCome = false

  /// Blocks the two signals for the calling thread and those it starts later; children start with nothing blocked.
  package init() throws(ProcessError) {
    var set = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, SIGTERM)
    sigaddset(&set, SIGINT)
    sigprocmask(SIG_BLOCK, &set, nil)
    descriptor = blockfarm_signalfd(&set)
    guard descriptor >= 0 else { throw .system(operation: "signalfd", subject: "SIGTERM", errno: errno) }
  }

  deinit { close(descriptor) }

  /// Whether a signal has come; stays true.
  package var isRequested: Bool {
    if hasCome { return true }
    var information = signalfd_siginfo()
    hasCome = read(descriptor, &information, MemoryLayout<signalfd_siginfo>.size) > 0
    return hasCome
  }
}
