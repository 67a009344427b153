import BlobStore
import FoundationEssentials
import Glibc

/// Where the submodules of a finished checkout are: a file in its `.git`, one path a line. Without it a tree is not whole.
enum CheckoutRecord {
  private static func path(_ tree: String) -> String { tree + "/.git/blockfarm-checkout" }
  /// A file that is longer was not written here.
  private static let limit = 1 << 20

  /// The paths; nil where there is no whole tree.
  static func read(at tree: String) -> Set<String>? {
    var status = stat()
    guard lstat(path(tree), &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size <= limit,
      let bytes = try? Data(contentsOf: URL(filePath: path(tree)))
    else { return nil }
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    // What leads out of the tree is removed by nobody.
    guard lines.allSatisfy({ !$0.hasPrefix("/") && !$0.split(separator: "/").contains("..") }) else { return nil }
    return Set(lines)
  }

  static func write(_ paths: [String], at tree: String) throws(SourceError) {
    guard let file = fopen(path(tree), "we") else { throw .system(operation: "create", path: path(tree), errno: errno) }
    let isWritten = fputs(paths.map { $0 + "\n" }.joined(), file) >= 0
    guard fclose(file) == 0, isWritten else { throw .system(operation: "write", path: path(tree), errno: errno) }
  }

  static func remove(at tree: String) throws(SourceError) {
    guard unlink(path(tree)) == 0 || errno == ENOENT || errno == ENOTDIR else {
      throw .system(operation: "remove", path: path(tree), errno: errno)
    }
  }

  /// Removes what is at a path, if anything is; links are not followed.
  static func removeTree(_ path: String) throws(SourceError) {
    DirectoryRemoval.remove(path)
    var status = stat()
    guard lstat(path, &status) != 0 else { throw .system(operation: "remove", path: path, errno: ENOTEMPTY) }
  }

  /// Removes a former submodule; refuses to go through a link.
  static func removeSubmodule(_ submodule: String, of tree: String) throws(SourceError) {
    var place = tree
    for component in submodule.split(separator: "/") {
      place += "/\(component)"
      var status = stat()
      guard lstat(place, &status) == 0 else { return }
      guard status.st_mode & S_IFMT == S_IFDIR else { throw .system(operation: "remove", path: place, errno: ENOTDIR) }
    }
    try removeTree(place)
  }
}
