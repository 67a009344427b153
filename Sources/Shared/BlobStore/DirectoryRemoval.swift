import Glibc

/// Removes trees as `rm -rf` does, never through links.
package enum DirectoryRemoval {
  /// Removes what is at `path` as far as that is possible; returns the bytes that it took on the disk.
  @discardableResult
  package static func remove(_ path: String) -> Int64 {
    var status = stat()
    guard lstat(path, &status) == 0 else { return 0 }
    var freed = status.st_nlink > 1 && status.st_mode & S_IFMT != S_IFDIR ? 0 : Int64(status.st_blocks) * 512
    if status.st_mode & S_IFMT == S_IFDIR {
      if status.st_mode & 0o700 != 0o700 { chmod(path, 0o700) }
      for name in FileReader.names(in: path) ?? [] { freed += remove("\(path)/\(name)") }
      return rmdir(path) == 0 ? freed : 0
    }
    return unlink(path) == 0 ? freed : 0
  }
}
