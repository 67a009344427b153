import BuildModel
import FoundationEssentials
import Glibc

/// Makes one commit of the uncommitted changes in a work tree, in a repository of ours that borrows the work tree's objects. Nothing of the user's is
/// touched, neither index nor refs nor objects. Equal changes make the same commit. Synchronous.
struct ChangesCommit {
  let source: RepositorySource
  private let work: String
  /// Our repository: one for each work tree, whatever other work trees have the same origin.
  let path: String

  /// `work` is the work tree's path.
  init(source: RepositorySource, work: String, in directory: String) {
    self.source = source
    self.work = work
    path = "\(directory)/\(MirrorName.of("changes " + work).hex).git"
  }

  /// nil where the changes come to nothing. `forced` are files that git ignores and that are part of what is built; `tags` go along.
  func make(at head: CommitID, time: Int64, tags: [String], forced: [String] = []) throws(PlanningError) -> CommitID? {
    do { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) } catch { throw failure(error) }
    _ = try run(["init", "--quiet", "--bare", "."], in: path)
    let places = try lines(["rev-parse", "--path-format=absolute", "--git-path", "objects", "--git-path", "index"], in: work)
    guard places.count == 2 else { throw failure("git does not say where its objects are") }
    let index = "\(path)/index-\(UUID().uuidString)"
    defer { for file in [index, index + ".lock"] { unlink(file) } }
    do {
      try Data("\(places[0])\n".utf8).write(to: URL(filePath: path + "/objects/info/alternates"), options: .atomic)
      // With the user's own index git need not read every file.
      if access(places[1], F_OK) == 0 {
        try FileManager.default.copyItem(atPath: places[1], toPath: index)
        try keepTime(of: places[1], at: index)
      }
    } catch {
      throw failure(error)
    }
    let name = "blockfarm"
    let variables = [
      "GIT_INDEX_FILE": index, "GIT_OBJECT_DIRECTORY": path + "/objects", "GIT_ALTERNATE_OBJECT_DIRECTORIES": places[0],
      "GIT_AUTHOR_NAME": name, "GIT_AUTHOR_EMAIL": name, "GIT_COMMITTER_NAME": name, "GIT_COMMITTER_EMAIL": name,
      "GIT_AUTHOR_DATE": "@\(time) +0000", "GIT_COMMITTER_DATE": "@\(time) +0000",
    ]
    _ = try run(["add", "--all", "--", "."], in: work, variables)
    if !forced.isEmpty { _ = try run(["add", "--force", "--"] + forced.map { ":(literal)" + $0 }, in: work, variables) }
    let tree = try lines(["write-tree"], in: work, variables).first ?? ""
    guard try lines(["rev-parse", head.hex + "^{tree}"], in: work).first != tree else { return nil }
    let made = try lines(["commit-tree", "-p", head.hex, "-m", "Uncommitted changes", tree], in: work, variables).first ?? ""
    guard let commit = CommitID(made) else { throw failure("git made no commit") }
    _ = try run(["update-ref", "refs/heads/changes", commit.hex], in: path)
    for tag in tags {
      let object = try lines(["rev-parse", "--verify", "refs/tags/" + tag], in: work).first ?? ""
      _ = try run(["update-ref", "refs/tags/" + tag, object], in: path)
    }
    return commit
  }

  /// git takes a file for unchanged only if it is older than the index: a younger copy would hide what changed in the moment after the last commit.
  private func keepTime(of original: String, at copy: String) throws(PlanningError) {
    var status = stat()
    guard stat(original, &status) == 0 else { throw failure(String(cString: strerror(errno))) }
    let times = [status.st_mtim, status.st_mtim]
    guard utimensat(AT_FDCWD, copy, times, 0) == 0 else { throw failure(String(cString: strerror(errno))) }
  }

  private func failure(_ reason: Any) -> PlanningError {
    .git(repository: source.name, operation: "commit", reason: "a commit of the changes cannot be made in \(path): \(reason)", blame: .coordinator)
  }

  private func run(_ arguments: [String], in place: String, _ variables: [String: String] = [:]) throws(PlanningError) -> [UInt8] {
    try GitCommand.run(arguments, in: place, repository: source.name, limitSeconds: 600, variables: variables)
  }

  private func lines(_ arguments: [String], in place: String, _ variables: [String: String] = [:]) throws(PlanningError) -> [String] {
    String(decoding: try run(arguments, in: place, variables), as: UTF8.self).split(separator: "\n").map(String.init)
  }
}
