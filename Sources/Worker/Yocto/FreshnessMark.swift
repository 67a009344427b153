import Glibc

/// A moment, as the file system that is built on sees it: the change time of a file made then.
///
/// The change time of other files is compared with it. It cannot be set by programs (unpacked and linked files keep old modification times),
/// and it does not matter whether the host's and a file server's clock agree.
package struct FreshnessMark: Sendable {
  private let seconds: Int
  private let nanoseconds: Int

  /// Makes and removes a file in `directory`.
  package init(in directory: String) throws(YoctoError) {
    let path = "\(directory)/.blockfarm-mark-\(getpid())"
    let descriptor = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .system(operation: "create", path: path, errno: errno) }
    defer {
      close(descriptor)
      unlink(path)
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .system(operation: "stat", path: path, errno: errno) }
    seconds = status.st_ctim.tv_sec
    nanoseconds = status.st_ctim.tv_nsec
  }

  /// Whether the file (links followed) was made or changed since. False when it is not there.
  package func isOlder(than path: String) -> Bool {
    var status = stat()
    guard stat(path, &status) == 0 else { return false }
    return (status.st_ctim.tv_sec, status.st_ctim.tv_nsec) >= (seconds, nanoseconds)
  }
}
