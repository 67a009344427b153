import Glibc

/// Where the farm keeps what it knows and made. Nothing here writes.
package struct StateDirectory: Sendable {
  package let path: String

  package init(_ path: String) { self.path = path }

  /// What blockfarm makes below it and must be able to change.
  private static let parts = [
    "state.sqlite", "state.sqlite-wal", "state.sqlite-shm", "engine.lock", "blobs", "blobs/sha256", "blobs/ingest", "changes", "feeds", "local",
    "repositories", "scratch",
  ]

  /// Why this account cannot work with the directory: the first path that it may not write, whose that is, and what to do. nil where it can, or can
  /// make what is missing.
  package var obstacle: String? {
    for part in [path] + Self.parts.map({ path + "/" + $0 }) where access(part, F_OK) == 0 {
      if let reason = Self.reasonNotWritable(part) { return "\(part) \(reason); \(remedy(for: part))" }
    }
    guard access(path, F_OK) != 0, let parent = existingParent, let reason = Self.reasonNotWritable(parent) else { return nil }
    return "the state directory \(path) cannot be made: \(parent) \(reason); name a directory of your own as 'state' in farm.yaml"
  }

  private static func reasonNotWritable(_ path: String) -> String? {
    var status = stat()
    guard stat(path, &status) == 0 else { return "cannot be looked at: \(String(cString: strerror(errno)))" }
    let isDirectory = status.st_mode & S_IFMT == S_IFDIR
    guard faccessat(AT_FDCWD, path, isDirectory ? R_OK | W_OK | X_OK : R_OK | W_OK, AT_EACCESS) != 0 else { return nil }
    if errno == EROFS { return "is on a file system that is mounted read-only" }
    let (owner, own) = (status.st_uid, geteuid())
    return owner == own
      ? "is yours (\(name(own))), but its permissions do not let you write it" : "belongs to \(name(owner)), and you (\(name(own))) may not write it"
  }

  private func remedy(for part: String) -> String {
    var status = stat()
    let own = Self.name(geteuid())
    let isOwn = stat(part, &status) == 0 && status.st_uid == geteuid()
    let change = isOwn ? "'chmod -R u+rwX \(path)'" : "'sudo chown -R \(own) \(path)'"
    let other = isOwn ? "" : ", run blockfarm as \(Self.name(status.st_uid))"
    return "repair it with \(change)\(other), or name another directory as 'state' in farm.yaml"
  }

  private var existingParent: String? {
    var parent = path[...]
    while let slash = parent.lastIndex(of: "/") {
      parent = slash == parent.startIndex ? "/" : parent[..<slash]
      if access(String(parent), F_OK) == 0 || parent == "/" { return String(parent) }
    }
    return nil
  }

  /// An account's name, else its number.
  private static func name(_ user: uid_t) -> String {
    var entry = passwd()
    var found: UnsafeMutablePointer<passwd>?
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 16384) { buffer in
      guard getpwuid_r(user, &entry, buffer.baseAddress!, buffer.count, &found) == 0, found != nil, let name = entry.pw_name else {
        return "user \(user)"
      }
      return String(cString: name)
    }
  }
}
