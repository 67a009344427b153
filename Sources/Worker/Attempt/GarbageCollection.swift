import BlobStore
import BuildModel
import Glibc
import Processes
import Yocto

/// Frees the disk below a worker's root.
///
/// An outcome that its owner has not acknowledged stays with its blobs, however old it is, unless a person says otherwise. What runs is not touched.
package struct GarbageCollection {
  /// After how many days something goes.
  package struct Ages: Sendable {
    /// Work trees of attempts that ended.
    package var tree = 2.0
    /// Acknowledged attempts, with their logs.
    package var attempt = 30.0
    /// Blobs that no kept outcome needs.
    package var blob = 2.0
    /// What bitbake remembers of a repository that nobody built.
    package var parseCache = 30.0
    /// Attempts that nobody acknowledged; nil: never.
    package var unacknowledged: Double?

    package init() {}
  }

  /// Blobs that are younger may be inputs of an attempt that is just about to be started.
  private static let youngestBlob = 3600.0

  private let root: String
  private let now = Timestamp.now

  package init(root: String) { self.root = root }

  /// Removes what is old; returns the bytes freed. nil when another collection keeps running for more than `waiting` seconds.
  package func collect(_ ages: Ages = Ages(), waiting: Double = 0) throws -> Int64? {
    try alone(waiting: waiting) { try pass(ages, blobSeconds: ages.blob * 86400) }
  }

  /// Frees what can be freed, from what is missed least to what is missed most, until `bytes` are free. Returns the bytes freed.
  package func makeRoom(for bytes: Int64) throws -> Int64 {
    if Self.freeBytes(root) >= bytes { return 0 }
    return try alone(waiting: 60) {
      var freed: Int64 = 0
      var ages = Ages()
      let steps: [(inout Ages) -> Void] = [{ _ in }, { $0.tree = 0 }, { $0.blob = 0 }, { $0.attempt = 0 }, { $0.parseCache = 0 }]
      for step in steps {
        step(&ages)
        freed += try pass(ages, blobSeconds: max(Self.youngestBlob, ages.blob * 86400))
        if Self.freeBytes(root) >= bytes { return freed }
      }
      return freed + WorkSlot.removeIdle(root: root)
    } ?? 0
  }

  /// Bytes that an ordinary account may still write where `path` is; 0 where that cannot be told.
  package static func freeBytes(_ path: String) -> Int64 {
    var disk = statvfs()
    return statvfs(path, &disk) == 0 ? Int64(disk.f_bavail) * Int64(disk.f_frsize) : 0
  }

  /// Bytes that the disk where `path` is can hold at all; 0 where that cannot be told.
  package static func totalBytes(_ path: String) -> Int64 {
    var disk = statvfs()
    return statvfs(path, &disk) == 0 ? Int64(disk.f_blocks) * Int64(disk.f_frsize) : 0
  }

  /// One collection at a time. A lock that a full disk does not let be made is done without: removing twice does no harm.
  private func alone(waiting: Double, _ body: () throws -> Int64) throws -> Int64? {
    let lock: AttemptLock?
    do throws(AttemptError) {
      guard let taken = try AttemptLock.acquire(root + "/gc.lock", waiting: waiting) else { return nil }
      lock = taken
    } catch {
      guard error.isOutOfSpace else { throw error }
      lock = nil
    }
    return try withExtendedLifetime(lock) { try body() }
  }

  private func pass(_ ages: Ages, blobSeconds: Double) throws -> Int64 {
    var freed = removeLeftovers() + ParseCache.collectGarbage(cache: root + "/cache", days: ages.parseCache)
    var needed: Set<Digest> = []
    var oldestRun = now
    for directory in AttemptDirectory.all(root: root) {
      // One attempt that cannot be read keeps its files; the others go on.
      guard let status = try? directory.settle() else { continue }
      guard case .ended(let outcome) = status else {
        needed.formUnion((try? directory.spec())?.inputs.map(\.digest) ?? [])
        oldestRun = min(oldestRun, directory.startTime ?? oldestRun)
        continue
      }
      let days = now.seconds(since: outcome.endedAt) / 86400
      let isDone = directory.isAcknowledged
      if let limit = isDone ? ages.attempt : ages.unacknowledged, days >= limit {
        freed += DirectoryRemoval.remove(directory.path)
        continue
      }
      if days >= ages.tree { freed += directory.removeWork() }
      if !isDone { needed.formUnion(outcome.blobs.map(\.digest)) }
    }
    // What an attempt makes has a name in no outcome before its end.
    let age = max(blobSeconds, now == oldestRun ? 0 : now.seconds(since: oldestRun) + 60)
    return freed + (try BlobStore(root: root + "/blobs").collectGarbage(keeping: needed, olderThan: age))
  }

  /// Files that processes left which are gone: bundles and blobs that were not sent to their end, scratch directories. Each name begins with the
  /// process's id, or has it after a dash.
  private func removeLeftovers() -> Int64 {
    var freed: Int64 = 0
    func isGone(_ text: some StringProtocol) -> Bool { pid_t(text).map { kill($0, 0) != 0 && errno == ESRCH } ?? false }
    for name in FileReader.names(in: root) ?? [] where name.hasPrefix("bundle-") && isGone(name.dropFirst("bundle-".count)) {
      freed += DirectoryRemoval.remove("\(root)/\(name)")
    }
    for (directory, names) in ["blobs/ingest", "tmp"].map({ ($0, FileReader.names(in: "\(root)/\($0)") ?? []) }) {
      for name in names where isGone(name.prefix { $0 != "-" }) { freed += DirectoryRemoval.remove("\(root)/\(directory)/\(name)") }
    }
    return freed
  }
}

extension AttemptDirectory {
  /// When the attempt was started.
  fileprivate var startTime: Timestamp? {
    var status = stat()
    return stat(specPath, &status) == 0 ? Timestamp(seconds: Double(status.st_mtim.tv_sec)) : nil
  }
}
