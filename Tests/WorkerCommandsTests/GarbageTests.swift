import BlobStore
import BuildModel
import Foundation
import Glibc
import Testing

/// What `gc` takes, and what a host does without any space.
@Suite(.timeLimit(.minutes(5)))
struct GarbageTests {
  private struct Freed: Decodable { var freedBytes: Int64 }
  private let everything = ["gc", "--tree-days", "0", "--attempt-days", "0", "--blob-days", "0"]

  /// An attempt with a feed and a block alone.
  private func spec(_ sample: SampleRepository) throws -> TaskSpec {
    var spec = try sample.spec()
    spec.system = nil
    return spec
  }

  private func ended(_ host: WorkerHost) throws -> (TaskSpec, Outcome) {
    let sample = try SampleRepository.shared()
    let spec = try spec(sample)
    try host.startWithSources(spec, of: sample)
    let outcome = try host.outcome(spec.attempt)
    try #require(outcome.failure == nil, "\(outcome.failure?.reason ?? "")")
    return (spec, outcome)
  }

  private func isThere(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

  @Test func anOutcomeStaysUntilItIsAcknowledged() throws {
    let host = try WorkerHost()
    let (spec, outcome) = try ended(host)
    let place = "\(host.root)/attempts/\(spec.attempt)"
    let store = try BlobStore(root: host.root + "/blobs")
    #expect(try #require(outcome.diskBytes) > 1 << 20)
    // Files of this very second are not older than none.
    for blob in outcome.blobs { utimes(store.path(blob.digest), [timeval(tv_sec: 1000, tv_usec: 0), timeval(tv_sec: 1000, tv_usec: 0)]) }
    #expect(try host.ask(Freed.self, everything).freedBytes > 0)
    #expect(store.missing(outcome.blobs).isEmpty && isThere(place + "/outcome.json") && isThere(place + "/console.log"))
    #expect(!isThere(place + "/tree"))
    #expect(try host.outcome(spec.attempt) == outcome)

    #expect(try host.ask(AcknowledgeAnswer.self, ["acknowledge", spec.attempt.description]) == AcknowledgeAnswer(attempt: spec.attempt))
    #expect(try host.ask(AcknowledgeAnswer.self, ["acknowledge", spec.attempt.description]).attempt == spec.attempt, "harmless to repeat")
    #expect(try host.outcome(spec.attempt) == outcome)
    #expect(try host.ask(Freed.self, everything).freedBytes > 0)
    #expect(store.missing(outcome.blobs).count == outcome.blobs.count && !isThere(place))
    #expect(try host.run(["acknowledge", spec.attempt.description]).status == 3)
  }

  /// What a collection leaves is named with its bytes, so that a person can make room.
  @Test func whatUsesTheDiskIsNamed() throws {
    let host = try WorkerHost()
    let (spec, outcome) = try ended(host)
    for name in ["downloads", "sstate/m"] {
      try FileManager.default.createDirectory(atPath: "\(host.root)/cache/\(name)", withIntermediateDirectories: true)
      try Data(count: 100_000).write(to: URL(filePath: "\(host.root)/cache/\(name)/file"))
    }
    let before = try host.ask([DiskUse].self, ["gc", "--usage"])
    let unacknowledged = try #require(before.first { $0.kind == .unacknowledged })
    #expect(unacknowledged.attempts == 1 && unacknowledged.bytes > outcome.blobs.reduce(0) { $0 + $1.size })
    for kind in [DiskUse.Kind.downloads, .sharedState] { #expect(before.first { $0.kind == kind }?.bytes ?? 0 >= 100_000, "\(before)") }
    #expect(before.contains { $0.kind == .sources && $0.bytes > 0 } && !before.contains { $0.kind == .running })
    #expect(before.map(\.bytes) == before.map(\.bytes).sorted(by: >) && isThere("\(host.root)/attempts/\(spec.attempt)/outcome.json"))
    _ = try host.ask(AcknowledgeAnswer.self, ["acknowledge", spec.attempt.description])
    #expect(try !host.ask([DiskUse].self, ["gc", "--usage"]).contains { $0.kind == .unacknowledged })
    // What runs counts as what runs.
    let sample = try SampleRepository.shared()
    let running = try self.spec(sample)
    try host.startWithSources(running, of: sample, faults: "hang=1")
    try host.follow(running.attempt) { if case .log(_, _, let text) = $0 { text.contains("NOTE: Executing Tasks") } else { false } }
    let during = try host.ask([DiskUse].self, ["gc", "--usage"])
    #expect(during.first { $0.kind == .running }?.attempts == 1 && !during.contains { $0.kind == .unacknowledged }, "\(during)")
    _ = try host.ask(CancelAnswer.self, ["cancel", running.attempt.description])
  }

  @Test func anAcknowledgedTreeGoesUnlessItIsKept() throws {
    let host = try WorkerHost()
    let (spec, _) = try ended(host)
    let tree = "\(host.root)/attempts/\(spec.attempt)/tree"
    _ = try host.ask(AcknowledgeAnswer.self, ["acknowledge", spec.attempt.description, "--keep-tree"])
    #expect(isThere(tree))
    _ = try host.ask(AcknowledgeAnswer.self, ["acknowledge", spec.attempt.description])
    #expect(!isThere(tree))
  }

  @Test func whatRunsIsNotAcknowledged() throws {
    let sample = try SampleRepository.shared()
    let host = try WorkerHost()
    let spec = try spec(sample)
    try host.startWithSources(spec, of: sample, faults: "hang=1")
    try host.follow(spec.attempt) { if case .event(let event) = $0, event.kind == .stepStarted(.feed) { true } else { false } }
    let refused = try host.run(["acknowledge", spec.attempt.description])
    #expect(refused.status == 1 && refused.errors.contains("is still running"))
    _ = try host.ask(Freed.self, everything)
    #expect(isThere("\(host.root)/attempts/\(spec.attempt)/tree"))
  }

  /// Files of processes that are gone.
  @Test func leftoversGo() throws {
    let host = try WorkerHost(asRoot: true)
    // A number above the kernel's limit for process ids.
    for path in ["bundle-4194305", "blobs/ingest/4194305-7", "tmp/4194305/x", "bundle-\(getpid())"] {
      let parent = URL(filePath: "\(host.root)/\(path)").deletingLastPathComponent().path
      try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
      try Data(count: 8192).write(to: URL(filePath: "\(host.root)/\(path)"))
    }
    #expect(try host.ask(Freed.self, ["gc"]).freedBytes >= 3 * 8192)
    #expect(!isThere(host.root + "/bundle-4194305") && !isThere(host.root + "/blobs/ingest/4194305-7") && !isThere(host.root + "/tmp/4194305"))
    #expect(isThere(host.root + "/bundle-\(getpid())"))
  }

  /// One attempt that cannot be read must not hide the others.
  @Test func aBrokenAttemptHidesNoOther() throws {
    let host = try WorkerHost()
    let (spec, _) = try ended(host)
    let broken = AttemptID(request: RequestID(now: .now), slug: spec.slug, number: 1)
    try FileManager.default.createDirectory(atPath: "\(host.root)/attempts/\(broken)", withIntermediateDirectories: true)
    for name in ["spec.json", "outcome.json"] { try Data("{".utf8).write(to: URL(filePath: "\(host.root)/attempts/\(broken)/\(name)")) }
    let states = try host.ask([ProbeReport.AttemptState].self, ["list"])
    #expect(Set(states) == [.init(attempt: spec.attempt, state: .ended), .init(attempt: broken, state: .lost)])
    #expect(try host.ask(ProbeReport.self, ["probe"]).attempts.count == 2)
    _ = try host.ask(Freed.self, everything)
    #expect(isThere("\(host.root)/attempts/\(broken)/outcome.json"))
  }

  // MARK: a full disk

  /// Mounting needs root, which a container may not have in full.
  private static let canMount: Bool = {
    guard getuid() == 0 else { return false }
    let place = "/tmp/blockfarm-mount-\(getpid())"
    guard mkdir(place, 0o755) == 0 else { return false }
    defer { rmdir(place) }
    guard mount("tmpfs", place, "tmpfs", 0, "size=1m") == 0 else { return false }
    return umount(place) == 0
  }()

  /// A worker's root on a disk of its own.
  private func smallHost(_ size: String) throws -> (WorkerHost, unmount: () -> Void) {
    let host = try WorkerHost()
    try #require(mount("tmpfs", host.root, "tmpfs", 0, "size=\(size),uid=65534,gid=65534") == 0)
    let root = host.root
    return (host, { umount2(root, Int32(MNT_DETACH)) })
  }

  /// Writes until nothing fits any more.
  private func fill(_ host: WorkerHost) throws {
    let descriptor = open(host.root + "/filler", O_CREAT | O_WRONLY | O_APPEND, 0o644)
    defer { close(descriptor) }
    for count in [1 << 20, 4096, 1] {
      let bytes = [UInt8](repeating: 1, count: count)
      while write(descriptor, bytes, count) > 0 {}
    }
    try #require(errno == ENOSPC)
  }

  @Test(.enabled(if: canMount, "only root may mount the small disk that this test fills"))
  func everyVerbAnswersOnAFullDisk() throws {
    let (host, unmount) = try smallHost("96m")
    defer { unmount() }
    let sample = try SampleRepository.shared()
    let (first, outcome) = try ended(host)
    let running = try spec(sample)
    try host.startWithSources(running, of: sample, faults: "hang=1")
    // From there on it writes nothing.
    try host.follow(running.attempt) { if case .log(_, _, let text) = $0 { text.contains("NOTE: Executing Tasks") } else { false } }
    try fill(host)

    #expect(try host.ask(ProbeReport.self, ["probe"]).attempts.count == 2)
    #expect(try host.ask([ProbeReport.AttemptState].self, ["list"]).count == 2)
    #expect(try host.outcome(first.attempt) == outcome)
    let blob = try #require(outcome.blobs.first)
    let line = Data(try WorkerProtocol.line(blob))
    #expect(try host.ask([BlobDescriptor].self, ["blob", "has"], input: line).isEmpty)
    #expect(try host.run(["blob", "get"], input: line).status == 0)
    let put = try host.run(["blob", "put"], input: try frame(Array(repeating: 7, count: 200_000)))
    #expect(put.status == 1 && put.errors.contains("No space left on device"), "\(put.errors)")
    // Ending an attempt makes the room that its outcome needs.
    #expect(try host.ask(CancelAnswer.self, ["cancel", running.attempt.description]).wasRunning)
    #expect(try host.outcome(running.attempt).failure?.kind == .cancelled)
    try fill(host)
    #expect(try host.ask(AcknowledgeAnswer.self, ["acknowledge", first.attempt.description]).attempt == first.attempt)
    try fill(host)
    #expect(try host.ask(Freed.self, everything).freedBytes > 0)
    #expect(try host.ask(ProbeReport.self, ["probe"]).freeDiskBytes > 0)
  }

  @Test(.enabled(if: canMount, "only root may mount the small disk that this test fills"))
  func aBuildThatFillsTheDiskEndsWithItsReason() throws {
    let (host, unmount) = try smallHost("96m")
    defer { unmount() }
    let sample = try SampleRepository.shared()
    let spec = try spec(sample)
    try host.startWithSources(spec, of: sample, faults: "slow=20")
    try host.follow(spec.attempt) { if case .event(let event) = $0, event.kind == .stepStarted(.feed) { true } else { false } }
    try fill(host)
    let failure = try #require(try host.outcome(spec.attempt).failure)
    #expect(failure.kind == .infrastructure && failure.reason.contains("No space left on device"), "\(failure)")
    #expect(try host.ask([ProbeReport.AttemptState].self, ["list"]) == [.init(attempt: spec.attempt, state: .ended)])
  }

  /// Before an attempt that needs more than is free, what nobody needs goes by itself.
  @Test func roomIsMadeBeforeAnAttempt() throws {
    let sample = try SampleRepository.shared()
    let host = try WorkerHost()
    let (first, _) = try ended(host)
    let tree = "\(host.root)/attempts/\(first.attempt)/tree"
    _ = try host.ask(AcknowledgeAnswer.self, ["acknowledge", first.attempt.description, "--keep-tree"])
    var next = try spec(sample)
    next.limits.diskBytes = 1
    #expect(try host.start(next) == .started)
    _ = try host.outcome(next.attempt)
    #expect(isThere(tree))
    next.attempt = AttemptID(request: RequestID(now: .now), slug: next.slug, number: 1)
    next.limits.diskBytes = 1 << 60
    #expect(try host.start(next) == .started)
    #expect(try host.outcome(next.attempt).failure == nil)
    #expect(!isThere(tree) && !isThere("\(host.root)/attempts/\(first.attempt)"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: host.root + "/tmp").isEmpty)
  }

  /// As a coordinator asks for it whose task needs more than is free; what the disk cannot hold is not worth the caches.
  @Test(.enabled(if: canMount, "only root may mount the small disk that this test fills"))
  func roomIsMadeWhenItIsAskedFor() throws {
    let (host, unmount) = try smallHost("96m")
    defer { unmount() }
    let (spec, _) = try ended(host)
    let tree = host.root + "/work/0"
    _ = try host.ask(AcknowledgeAnswer.self, ["acknowledge", spec.attempt.description, "--keep-tree"])
    #expect(try host.ask(Freed.self, ["gc", "--room", "\(200 << 20)"]).freedBytes == 0)
    let free = try host.ask(ProbeReport.self, ["probe"]).freeDiskBytes
    #expect(try host.ask(Freed.self, ["gc", "--room", "\(free)"]).freedBytes == 0 && isThere(tree + "/build"))
    #expect(try host.ask(Freed.self, ["gc", "--room", "\(free + 1)"]).freedBytes > 0 && !isThere(tree + "/build") && isThere(tree))
    #expect(try host.ask(Freed.self, ["gc", "--room", "\(95 << 20)"]).freedBytes > 0 && !isThere(tree))
  }

  private func frame(_ bytes: [UInt8]) throws -> Data {
    let scratch = FileManager.default.temporaryDirectory.path + "/frame-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: scratch) }
    let blob = try BlobStore(root: scratch).put(bytes)
    return Data(try BlobFrame.header(blob) + bytes + BlobFrame.end)
  }
}
