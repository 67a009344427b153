import BuildModel
import Glibc

/// A loop could not be started: the system has no descriptor, memory or thread left for it.
package struct EventLoopError: BlamedError, Hashable {
  /// What the system refused, for example `start a thread`.
  package let operation: String
  package let errno: Int32

  package var blame: Blame { .coordinator }
  package var description: String { "cannot \(operation): \(String(cString: strerror(errno)))" }
}
