import Glibc

/// What is about to be written replaces what is at its place; only what it may replace must be there.
///
/// Outputs appear by a rename, which would put a file in the place of a device node, a pipe, a socket or a link that somebody else made.
package enum OutputPath {
  /// Why nothing may be written to `path` as a file: a clause to be put after the path. nil when nothing or a regular file is there.
  package static func reasonNotFile(_ path: String) -> String? {
    kind(of: path).flatMap { $0 == S_IFREG ? nil : "exists and is \(name($0)), not a regular file; it is not replaced" }
  }

  /// Why `path` cannot be a directory that is written to. nil when nothing or a directory, perhaps by way of a symbolic link, is there.
  package static func reasonNotDirectory(_ path: String) -> String? {
    var status = stat()
    let isThere = stat(path, &status) == 0
    if isThere, status.st_mode & S_IFMT == S_IFDIR { return nil }
    return kind(of: path).map { "exists and is \(name($0)), not a directory; it is not replaced" }
  }

  /// The file type bits of the path itself; nil when nothing is there.
  private static func kind(of path: String) -> mode_t? {
    var status = stat()
    return lstat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
  }

  private static func name(_ kind: mode_t) -> String {
    switch kind {
    case S_IFREG: "a file"
    case S_IFDIR: "a directory"
    case S_IFLNK: "a symbolic link"
    case S_IFBLK: "a block device"
    case S_IFCHR: "a character device"
    case S_IFIFO: "a pipe"
    case S_IFSOCK: "a socket"
    default: "something unknown"
    }
  }
}
