import ArgumentParser
import Attempt
import BlobStore
import BuildModel
import FoundationEssentials
import Glibc

/// Frees disk.
struct CollectGarbage: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gc", abstract: "Remove old work trees, old attempts, and blobs that no attempt names.")
  @Option(help: "Work trees of attempts that ended more days ago go.") var treeDays: Double = 2
  @Option(help: "Attempts that ended more days ago go, with their logs and blobs.") var attemptDays: Double = 30
  @Option(help: "Blobs that no kept attempt names go when they are older.") var blobDays: Double = 2
  @OptionGroup var location: RootOption

  private struct Answer: Encodable { var freedBytes: Int64 }

  func run() throws {
    try StandardOutput.begin()
    guard treeDays >= 0, attemptDays >= treeDays, blobDays >= 0 else {
      throw WorkerExit.usage("days must not be negative, and --attempt-days not below --tree-days")
    }
    let root = try location.resolve()
    var freed: Int64 = 0
    var named: Set<Digest> = []
    let now = Timestamp.now
    for directory in AttemptDirectory.all(root: root) {
      guard case .ended(let outcome) = try directory.settle() else {
        named.formUnion((try? directory.spec())?.inputs.map(\.digest) ?? [])
        continue
      }
      let days = now.seconds(since: outcome.endedAt) / 86400
      if days >= attemptDays {
        freed += DirectoryRemoval.remove(directory.path)
        continue
      }
      if days >= treeDays { freed += Self.removeWork(of: directory) }
      named.formUnion(outcome.blobs.map(\.digest))
    }
    freed += try BlobStore(root: root + "/blobs").collectGarbage(keeping: named, olderThan: blobDays * 86400)
    try StandardOutput.line(Answer(freedBytes: freed))
  }

  private static func removeWork(of directory: AttemptDirectory) -> Int64 {
    [directory.treePath, directory.scratchPath, directory.feedPath].reduce(0) { $0 + DirectoryRemoval.remove($1) }
  }
}

/// Removes trees as `rm -rf` does, never through links.
enum DirectoryRemoval {
  /// Removes what is at `path` as far as that is possible; returns the bytes that it took on the disk.
  static func remove(_ path: String) -> Int64 {
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
