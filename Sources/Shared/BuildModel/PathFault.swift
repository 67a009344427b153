import Glibc

/// Which failed system calls are the fault of the path that somebody gave.
package enum PathFault {
  private static let codes: Set<Int32> = [ENOENT, ENOTDIR, EISDIR, EACCES, EPERM, EROFS, ELOOP, ENAMETOOLONG, ENXIO, ENODEV, EEXIST, ENOTEMPTY]

  /// Whether another path would help; a full disk or a broken one is something else.
  package static func isCause(of errno: Int32) -> Bool { codes.contains(errno) }
}
