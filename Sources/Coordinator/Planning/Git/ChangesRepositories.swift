import BlobStore
import BuildModel
import Glibc

/// The repositories of ours that hold commits of uncommitted changes, see ``ChangesCommit``: `<state>/changes/<name>.git`. Synchronous.
package struct ChangesRepositories: Sendable {
  /// Seconds after which nobody can be about to use one that he has just made.
  private static let youth = 3600.0

  private let directory: String

  /// `state` is the state directory.
  package init(state: String) { directory = state + "/changes" }

  /// Removes those whose commit is none of `needed`, if they are in `done` or older than an hour. Returns their paths.
  @discardableResult
  package func prune(keeping needed: Set<CommitID>, done: Set<String> = [], now: Timestamp = .now) -> [String] {
    let paths = (FileReader.names(in: directory) ?? []).filter { $0.hasSuffix(".git") }.map { "\(directory)/\($0)" }
    return paths.filter { path in
      if let commit = Self.commit(of: path), needed.contains(commit) { return false }
      guard done.contains(path) || Self.age(of: path, now) > Self.youth else { return false }
      DirectoryRemoval.remove(path)
      return true
    }
  }

  /// nil where it never got one.
  private static func commit(of path: String) -> CommitID? {
    guard let bytes = try? RepositoryFiles.contents(path + "/refs/heads/changes") else { return nil }
    return CommitID(String(decoding: bytes.prefix(64).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
  }

  private static func age(of path: String, _ now: Timestamp) -> Double {
    var status = stat()
    guard stat(path + "/refs/heads/changes", &status) == 0 || stat(path, &status) == 0 else { return 0 }
    return now.seconds(since: Timestamp(seconds: Double(status.st_mtim.tv_sec)))
  }
}
