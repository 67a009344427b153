import Glibc

/// Held by the one engine of a state directory for as long as it lives; the kernel releases it when the process dies.
package final class EngineLock {
  private let descriptor: Int32

  /// nil when another process holds it.
  package init?(directory: String) throws(StoreError) {
    let path = directory + "/engine.lock"
    let descriptor = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw .open(path: path, reason: String(cString: strerror(errno))) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let cause = errno
      close(descriptor)
      if cause == EWOULDBLOCK { return nil }
      throw .open(path: path, reason: String(cString: strerror(cause)))
    }
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }
}
