import BlobStore
import BuildModel
import Glibc

/// A place of the host in which one attempt at a time builds. Its work tree, `<root>/work/<number>`, has the same path for every attempt, and what
/// was checked out there stays: bitbake takes what it knows of a recipe only where the path, the time, the size and the inode are the same.
///
/// `<number>.lock` is locked for as long as an attempt builds there; the kernel lets go of it when the runner dies. `<number>.owner` has two lines:
/// the last attempt, and the repository that it built.
package final class WorkSlot {
  package let number: Int
  /// The work tree's path, without links. It is made by whoever checks out.
  package let tree: String
  private let root: String
  private let lock: AttemptLock

  /// More attempts than this build on no host at once.
  private static let limit = 256

  private init(number: Int, root: String, lock: AttemptLock) {
    (self.number, self.root, self.lock) = (number, root, lock)
    tree = Self.tree(number, root: root)
  }

  /// Takes a free slot for an attempt: one where the same repository was built last, else the first one. What an earlier attempt left running or
  /// built there is gone afterwards.
  package static func take(root: String, for attempt: AttemptDirectory, repository: Digest) throws -> WorkSlot {
    if mkdir(root + "/work", 0o755) != 0, errno != EEXIST { throw AttemptError.system(operation: "mkdir", path: root + "/work", errno: errno) }
    let known = numbers(root: root)
    let warm = known.filter { owner($0, root: root)?.repository == repository.hex }
    for number in warm + (0..<limit).filter({ !warm.contains($0) }) {
      guard let lock = try AttemptLock.acquire("\(root)/work/\(number).lock") else { continue }
      let slot = WorkSlot(number: number, root: root, lock: lock)
      try slot.begin(attempt, repository: repository)
      return slot
    }
    throw AttemptError.system(operation: "find a free place in", path: root + "/work", errno: EBUSY)
  }

  private func begin(_ attempt: AttemptDirectory, repository: Digest) throws {
    if let last = Self.owner(number, root: root)?.attempt, last != attempt.id {
      // Its runner is gone, or there would be no lock. While the tree is still its own, its processes and containers are found by it.
      _ = try? AttemptDirectory(root: root, id: last).settle()
    }
    clear()
    try DurableFile.write(Array("\(attempt.id)\n\(repository.hex)\n".utf8), to: Self.ownerPath(number, root: root))
    unlink(attempt.treePath)
    guard symlink(tree, attempt.treePath) == 0 else { throw AttemptError.system(operation: "link", path: attempt.treePath, errno: errno) }
  }

  /// Removes what was built, or all there is; returns the bytes freed. barys writes its log beside the build, with all that it was given.
  @discardableResult
  func clear(withCheckout: Bool = false) -> Int64 {
    if withCheckout { return DirectoryRemoval.remove(tree) }
    return ["build", "barys.log"].reduce(0) { $0 + DirectoryRemoval.remove("\(tree)/\($1)") }
  }

  // MARK: slots that nobody holds

  /// The tree of an attempt that is still its own: no later attempt has taken the place.
  static func tree(of attempt: AttemptID, root: String) -> String? {
    numbers(root: root).first { owner($0, root: root)?.attempt == attempt }.map { tree($0, root: root) }
  }

  /// Removes what an attempt built, unless another one builds in its place. Returns the bytes freed.
  static func clear(of attempt: AttemptID, root: String, withCheckout: Bool) -> Int64 {
    guard let number = numbers(root: root).first(where: { owner($0, root: root)?.attempt == attempt }),
      let lock = try? AttemptLock.acquire("\(root)/work/\(number).lock")
    else { return 0 }
    return withExtendedLifetime(lock) {
      owner(number, root: root)?.attempt == attempt ? WorkSlot(number: number, root: root, lock: lock).clear(withCheckout: withCheckout) : 0
    }
  }

  /// Removes the trees in which nobody builds, with their checkouts. Returns the bytes freed.
  static func removeIdle(root: String) -> Int64 {
    numbers(root: root).reduce(0) { freed, number in
      guard let lock = try? AttemptLock.acquire("\(root)/work/\(number).lock") else { return freed }
      return withExtendedLifetime(lock) {
        unlink(ownerPath(number, root: root))
        return freed + DirectoryRemoval.remove(tree(number, root: root))
      }
    }
  }

  private static func numbers(root: String) -> [Int] {
    (FileReader.names(in: root + "/work") ?? []).filter { $0.hasSuffix(".owner") }.compactMap { Int($0.dropLast(".owner".count)) }
      .filter { (0..<limit).contains($0) }.sorted()
  }

  private static func tree(_ number: Int, root: String) -> String { "\(root)/work/\(number)" }
  private static func ownerPath(_ number: Int, root: String) -> String { "\(root)/work/\(number).owner" }

  private static func owner(_ number: Int, root: String) -> (attempt: AttemptID, repository: String)? {
    guard let bytes = try? DurableFile.read(ownerPath(number, root: root), limit: 4096) else { return nil }
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    guard lines.count == 2, let attempt = AttemptID(String(lines[0])) else { return nil }
    return (attempt, String(lines[1]))
  }
}
