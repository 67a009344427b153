import CLinux
import Glibc

/// Notes in a state directory that its engine ended by its own fault: a trap, a bad address, abort. A process that was killed is not noted.
package enum CrashMark {
  private static func path(in directory: String) -> String { directory + "/engine.crashed" }

  /// Whether the last engine of the directory crashed. For whoever holds the engine lock.
  package static func isSet(in directory: String) -> Bool {
    var status = stat()
    return stat(path(in: directory), &status) == 0 && status.st_size > 0
  }

  /// Removes the mark, and sets it again when this process crashes. What the mark meant must be in the database before.
  package static func arm(in directory: String) throws(StoreError) {
    let path = path(in: directory)
    // Never closed: the descriptor belongs to the signal handler for as long as the process lives.
    let descriptor = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw .open(path: path, reason: String(cString: strerror(errno))) }
    blockfarm_note_crashes(descriptor)
  }
}
