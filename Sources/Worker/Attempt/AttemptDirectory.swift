import BlobStore
import BuildModel
import CanonicalJSON
import FoundationEssentials
import Glibc

/// `<root>/attempts/<id>/` with `spec.json`, `journal.ndjson`, `console.log`, `outcome.json`, `lock`, `acknowledged`,
/// and `tree`, a link to the work tree of the slot that it builds in.
package struct AttemptDirectory: Sendable {
  package let id: AttemptID
  package let path: String
  let root: String

  /// Names the directory; nothing is made.
  package init(root: String, id: AttemptID) {
    self.id = id
    self.root = root
    path = "\(root)/attempts/\(id)"
  }

  package var specPath: String { path + "/spec.json" }
  package var journalPath: String { path + "/journal.ndjson" }
  package var consolePath: String { path + "/console.log" }
  package var outcomePath: String { path + "/outcome.json" }
  package var lockPath: String { path + "/lock" }
  /// An empty file, once the outcome was fetched.
  package var acknowledgedPath: String { path + "/acknowledged" }
  /// A link to the work tree, see ``WorkSlot``.
  package var treePath: String { path + "/tree" }
  /// Where the attempt's processes work: its own directory, and the work tree while no later attempt has taken it over.
  package var directories: [String] { [path] + (WorkSlot.tree(of: id, root: root).map { [$0] } ?? []) }
  /// A provided feed, laid out.
  package var feedPath: String { path + "/feed" }
  /// Where blocks are put together.
  package var scratchPath: String { path + "/scratch" }

  /// The environment variable by which an attempt's processes are known; its value is the attempt's id.
  package static let mark = "BLOCKFARM_ATTEMPT"

  /// An outcome that is longer was not written by a runner.
  private static let outcomeLimit = 256 << 20

  /// Whether `start` has got as far as writing the spec.
  package var isKnown: Bool { access(specPath, F_OK) == 0 }

  /// All attempts below a root, by id; directories that are named like none are left alone.
  package static func all(root: String) -> [AttemptDirectory] {
    let found = (FileReader.names(in: root + "/attempts") ?? []).compactMap { AttemptID($0) }.map { AttemptDirectory(root: root, id: $0) }
    return found.filter(\.isKnown).sorted { $0.id < $1.id }
  }

  /// Makes the directory where it is missing.
  package func create() throws(AttemptError) {
    let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    for directory in [parent, path] where mkdir(directory, 0o755) != 0 && errno != EEXIST {
      throw .system(operation: "mkdir", path: directory, errno: errno)
    }
  }

  package func write(_ spec: TaskSpec) throws {
    try DurableFile.write(try CanonicalJSON.line(spec), to: specPath)
    try DurableFile.syncDirectory(of: path)
  }

  package func spec() throws -> TaskSpec {
    guard let bytes = try DurableFile.read(specPath, limit: CanonicalJSON.defaultLimit) else { throw AttemptError.unknown(id) }
    do {
      return try CanonicalJSON.decode(TaskSpec.self, from: bytes)
    } catch {
      throw AttemptError.malformed(path: specPath, reason: "\(error)")
    }
  }

  /// The outcome, once there is one.
  package func outcome() throws -> Outcome? {
    guard let bytes = try DurableFile.read(outcomePath, limit: Self.outcomeLimit) else { return nil }
    do {
      return try CanonicalJSON.decode(Outcome.self, from: bytes, limit: Self.outcomeLimit)
    } catch {
      throw AttemptError.malformed(path: outcomePath, reason: "\(error)")
    }
  }
}
