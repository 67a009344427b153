import FoundationEssentials
import Glibc
import Processes

/// The lock that a runner holds on its attempt from before it was spawned until it is gone.
///
/// flock(2) locks belong to the open file, so `start` takes the lock and hands the descriptor on to the runner: there is no moment
/// at which a started attempt looks abandoned.
package final class AttemptLock {
  package let descriptor: Int32
  private let path: String

  /// Takes the lock, waiting up to `seconds`; nil when somebody else keeps it.
  package static func acquire(_ path: String, waiting seconds: Double = 0) throws(AttemptError) -> AttemptLock? {
    let descriptor = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw .system(operation: "open", path: path, errno: errno) }
    let limit = MonotonicClock.now + seconds
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      let cause = errno
      guard cause == EWOULDBLOCK || cause == EINTR else {
        close(descriptor)
        throw .system(operation: "lock", path: path, errno: cause)
      }
      if MonotonicClock.now >= limit {
        close(descriptor)
        return nil
      }
      poll(nil, 0, 10)
    }
    return AttemptLock(descriptor: descriptor, path: path)
  }

  /// Takes over a locked descriptor that the process was started with.
  package init(inherited descriptor: Int32, path: String) {
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    self.descriptor = descriptor
    self.path = path
  }

  private init(descriptor: Int32, path: String) {
    self.descriptor = descriptor
    self.path = path
  }

  deinit { close(descriptor) }

  /// Whether somebody holds the lock now.
  package static func isHeld(_ path: String) -> Bool {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return flock(descriptor, LOCK_SH | LOCK_NB) != 0
  }

  /// Notes in the lock file who the runner is, for `cancel`, and since which boot.
  package func note(_ holder: LockHolder) throws(AttemptError) {
    guard ftruncate(descriptor, 0) == 0, lseek(descriptor, 0, SEEK_SET) == 0 else {
      throw .system(operation: "truncate", path: path, errno: errno)
    }
    try DurableFile.append(Array("\(holder.pid) \(holder.bootID)\n".utf8), to: descriptor, path: path)
  }
}

/// The runner that a lock file names.
package struct LockHolder: Hashable, Sendable {
  package var pid: pid_t
  /// The kernel's id of the boot in which it was started.
  package var bootID: String

  package init(pid: pid_t) {
    self.pid = pid
    bootID = Self.currentBootID
  }

  /// Reads a lock file; nil when nobody has noted himself yet.
  package init?(lockFile path: String) {
    guard let bytes = try? DurableFile.read(path, limit: 4096) else { return nil }
    let words = String(decoding: bytes, as: UTF8.self).split { $0 == " " || $0 == "\n" }
    guard words.count == 2, let pid = pid_t(words[0]), pid > 1 else { return nil }
    self.pid = pid
    bootID = String(words[1])
  }

  package static var currentBootID: String {
    let descriptor = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return "unknown" }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 64)
    let count = read(descriptor, &bytes, bytes.count)
    guard count > 0 else { return "unknown" }
    return String(decoding: bytes[..<count].filter { $0 > 32 }, as: UTF8.self)
  }
}
