import BlobStore
import BoundedConcurrency
import BuildModel
import CanonicalJSON
import FoundationEssentials
import Glibc

import struct Crypto.SHA256

/// `audit.jsonl` of a state directory: one canonical JSON object a line, each with the digest of the line before. It is only ever appended to.
///
/// A changed or removed line breaks the chain. Lines that are cut off at the end do not; therefore the database keeps the newest entry's number and
/// digest, too. Whoever may write both can still forge the log: it shows mistakes and careless hands, not the state's owner.
package struct AuditLog: Sendable {
  package let path: String
  let store: StateStore
  /// The variables that the program was started with.
  let environment: [String: String]
  /// In bytes. A request for 144 device types needs 4 kB.
  static let lineLimit = 1 << 20
  /// In bytes, of what is read into memory; a line has about 500.
  static let sizeLimit: Int64 = 1 << 30

  package init(directory: String, store: StateStore, environment: [String: String]) {
    path = directory + "/audit.jsonl"
    self.store = store
    self.environment = environment
  }

  /// Appends an entry, and returns when it is on the disk. What cannot be noted must not be done.
  package func append(_ action: AuditedAction) async throws {
    let (number, digest) = try await BlockingWork.run { try write(action) }
    if let digest { try await store.noteAudit(number: number, digest: digest) }
  }

  private func write(_ action: AuditedAction) throws -> (number: Int, digest: Digest?) {
    let descriptor = open(path, O_CREAT | O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw failure() }
    defer { close(descriptor) }
    // The lock goes with the descriptor. It is held for a few milliseconds, and nothing is awaited meanwhile.
    while flock(descriptor, LOCK_EX) != 0 { guard errno == EINTR else { throw failure() } }
    let last = try Self.lastLine(of: descriptor, path: path)
    let previous = try last.map { try CanonicalJSON.decode(AuditEntry.self, from: $0, limit: Self.lineLimit) }
    let (account, origin) = (AuditOrigin.account(), AuditOrigin.origin(in: environment))
    let entry = AuditEntry(
      number: (previous?.number ?? 0).addingSaturated(1), time: .now, account: account, userID: getuid(), origin: origin, action: action.action,
      request: action.request, subjects: action.subjects, previous: last.flatMap(Self.digest))
    let line = try CanonicalJSON.encode(entry)
    let whole = line + [UInt8(ascii: "\n")]
    if let code = whole.withUnsafeBytes({ FileWriter.write($0, to: descriptor) }) {
      throw StoreError.open(path: path, reason: String(cString: strerror(code)))
    }
    guard fsync(descriptor) == 0 else { throw failure() }
    return (entry.number, Self.digest(line))
  }

  /// All entries, oldest first, and the first fault of the chain.
  package func read() async throws -> (entries: [AuditEntry], fault: String?) {
    guard access(path, F_OK) == 0 else {
      let head = try await store.auditHead()
      return ([], head.map { "\(path) is gone; the database knows \(Counted($0.number, "entry", plural: "entries"))" })
    }
    var bytes: [UInt8] = []
    try FileReader.read(path, count: Self.sizeLimit) { bytes.append(contentsOf: $0) }
    var entries: [AuditEntry] = []
    var previous: Digest?
    var digests: [Digest?] = []
    for line in bytes.split(separator: UInt8(ascii: "\n")) {
      let place = "line \(entries.count + 1) of \(path)"
      guard let entry = try? CanonicalJSON.decode(AuditEntry.self, from: line, limit: Self.lineLimit) else {
        return (entries, "\(place) is no entry of an audit log")
      }
      guard entry.number == entries.count + 1, entry.previous == previous else {
        return (entries, "\(place) does not follow the one before: an entry was changed, added or removed there")
      }
      let digest = Self.digest(Array(line))
      entries.append(entry)
      digests.append(digest)
      previous = digest
    }
    guard let head = try await store.auditHead() else { return (entries, nil) }
    guard head.number <= entries.count else {
      return (entries, "\(path) ends after \(Counted(entries.count, "entry", plural: "entries")); the database knows \(head.number)")
    }
    guard head.number < 1 || digests[head.number - 1] == head.digest else {
      return (entries, "entry \(head.number) of \(path) is not the one that the database knows")
    }
    return (entries, nil)
  }

  private func failure() -> StoreError { .open(path: path, reason: String(cString: strerror(errno))) }

  private static func digest(_ line: [UInt8]) -> Digest? { Digest(bytes: SHA256.hash(data: line)) }

  /// The last whole line without its newline; nil in an empty file.
  private static func lastLine(of descriptor: Int32, path: String) throws -> [UInt8]? {
    let size = lseek(descriptor, 0, SEEK_END)
    guard size > 0 else { return nil }
    let count = min(Int(size), lineLimit + 1)
    var tail = [UInt8](repeating: 0, count: count)
    guard pread(descriptor, &tail, count, size - off_t(count)) == count, tail.last == UInt8(ascii: "\n") else {
      throw StoreError.corrupt(what: path, reason: "its last line is not whole; 'blockfarm audit --check' says more")
    }
    return Array(tail.dropLast().reversed().prefix { $0 != UInt8(ascii: "\n") }.reversed())
  }
}
