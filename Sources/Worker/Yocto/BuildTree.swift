import BlobStore
import BuildModel
import Glibc

/// A device repository's work tree after a build, read with suspicion: nothing outside of it is taken.
package struct BuildTree: Sendable {
  /// Absolute, without links.
  package let path: String

  package init(path: String) throws(YoctoError) {
    guard let resolved = Self.resolve(path) else { throw .system(operation: "resolve", path: path, errno: errno) }
    self.path = resolved
  }

  /// The absolute path of a file or directory below the tree with all links followed; nil when nothing is there.
  package func locate(_ relative: String) throws(YoctoError) -> String? {
    guard let resolved = Self.resolve("\(path)/\(relative)") else {
      if errno == ENOENT || errno == ENOTDIR { return nil }
      throw .system(operation: "resolve", path: relative, errno: errno)
    }
    guard resolved == path || resolved.hasPrefix(path + "/") else { throw .escapes(path: relative, target: resolved) }
    return resolved
  }

  /// The names in a directory below the tree, at most 40, for a message.
  package func names(in relative: String) -> [String] {
    let names = (try? Self.list("\(path)/\(relative)")) ?? []
    return names.count > 40 ? names.prefix(39) + ["and \(names.count - 39) more"] : names
  }

  /// All names in a directory, sorted.
  package static func list(_ directory: String) throws(YoctoError) -> [String] {
    guard let names = FileReader.names(in: directory) else { throw .system(operation: "opendir", path: directory, errno: errno) }
    return names
  }

  private static func resolve(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
  }
}
