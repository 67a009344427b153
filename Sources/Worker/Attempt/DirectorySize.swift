import BlobStore
import Glibc

/// Bytes that trees take on the disk.
enum DirectorySize {
  /// The blocks of everything below `path`; a file with several names counts with each. 0 when nothing is there.
  static func bytes(of path: String) -> Int64 {
    var status = stat()
    guard lstat(path, &status) == 0 else { return 0 }
    var total = Int64(status.st_blocks) * 512
    if status.st_mode & S_IFMT == S_IFDIR {
      for name in FileReader.names(in: path) ?? [] { total += bytes(of: "\(path)/\(name)") }
    }
    return total
  }
}
