import BlobStore
import BuildModel
import Glibc

/// What bitbake remembers of the recipes that it has parsed, from attempt to attempt: `<cache>/parse/<repository>/<slot>`.
///
/// It fits one work tree of one repository, by path, time, size and inode. A container sees the tree at another path than the host, so builds in
/// containers have one of their own. bitbake keeps two directories, `tmp/cache` and `cache` below its build directory; what else is in them
/// (packages' revisions, equivalent hashes, checksums of files) would change what is built, and is not kept.
package struct ParseCache: Sendable {
  private let path: String
  private let build: String

  /// `cache` is `cache/` of the worker's root, `repository` the mirror's name.
  package init(cache: String, repository: Digest, slot: Int, tree: String, isInContainer: Bool) {
    path = "\(cache)/parse/\(repository.hex)/\(slot)\(isInContainer ? "-container" : "")"
    build = tree + "/build"
  }

  private var places: [(kept: String, used: String)] { [(path + "/tmp", build + "/tmp/cache"), (path + "/top", build + "/cache")] }

  /// Beginnings of names that are not kept.
  private static let others = ["prserv", "hashserv", "bb_unihashes", "local_file_checksum_cache", "bb_persist_data"]

  /// Puts what is kept into the tree. That it cannot is no harm: bitbake parses then.
  package func moveIn() {
    guard access(path, F_OK) == 0 else { return }
    for directory in [build, build + "/tmp"] { mkdir(directory, 0o755) }
    for place in places { rename(place.kept, place.used) }
  }

  /// Takes it back, when nothing of the build runs any more.
  package func moveOut() {
    let components = path.split(separator: "/")
    var made = ""
    for component in components {
      made += "/\(component)"
      mkdir(made, 0o755)
    }
    for place in places where access(place.used, F_OK) == 0 {
      DirectoryRemoval.remove(place.kept)
      guard rename(place.used, place.kept) == 0 else { continue }
      Self.removeOthers(below: place.kept)
    }
    // Its age says when it was used last.
    utimensat(AT_FDCWD, path, nil, 0)
  }

  private static func removeOthers(below directory: String) {
    for name in FileReader.names(in: directory) ?? [] {
      let path = "\(directory)/\(name)"
      var status = stat()
      if others.contains(where: name.hasPrefix) {
        DirectoryRemoval.remove(path)
      } else if lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
        removeOthers(below: path)
      }
    }
  }

  /// Removes what was not used for `days`; returns the bytes freed.
  package static func collectGarbage(cache: String, days: Double) -> Int64 {
    var freed: Int64 = 0
    let limit = time(nil) - Int(days * 86400)
    for repository in FileReader.names(in: cache + "/parse") ?? [] {
      for slot in FileReader.names(in: "\(cache)/parse/\(repository)") ?? [] {
        let path = "\(cache)/parse/\(repository)/\(slot)"
        var status = stat()
        if lstat(path, &status) == 0, status.st_mtim.tv_sec <= limit { freed += DirectoryRemoval.remove(path) }
      }
    }
    return freed
  }
}
