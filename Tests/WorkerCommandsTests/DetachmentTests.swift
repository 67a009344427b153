import BuildModel
import CanonicalJSON
import Foundation
import Testing

/// What becomes of attempts when something is killed, cancelled, or done twice.
@Suite(.timeLimit(.minutes(5)))
struct DetachmentTests {
  private let sample: SampleRepository
  private let host: WorkerHost
  private let spec: TaskSpec

  init() throws {
    sample = try SampleRepository.shared()
    host = try WorkerHost()
    spec = try sample.spec()
  }

  private func isFeedStarted(_ line: AttachLine) -> Bool {
    if case .log(_, _, let text) = line { text.contains("[LOG]Build") || text.contains("initialized in directory") } else { false }
  }

  @Test func aKilledRunnerIsLostAndLeavesNothing() throws {
    try host.startWithSources(spec, of: sample, faults: "hang=setsid")
    try host.follow(spec.attempt, until: isFeedStarted)
    #expect(try host.ask([ProbeReport.AttemptState].self, ["list"]) == [.init(attempt: spec.attempt, state: .running)])
    kill(try host.runner(spec.attempt), SIGKILL)
    let outcome = try host.outcome(spec.attempt)
    #expect(outcome.failure?.kind == .lost)
    #expect(outcome.steps.map(\.name) == [.source])
    #expect(try host.processes(spec.attempt) == [])
    #expect(try host.ask([ProbeReport.AttemptState].self, ["list"]) == [.init(attempt: spec.attempt, state: .lost)])
    // Started again it stays what it is: an attempt is never used twice.
    #expect(try host.start(spec) == .started)
    #expect(try host.outcome(spec.attempt) == outcome)
  }

  /// The connection's end is the end of `start` and `attach` alone.
  @Test func anAttachThatIsCutDoesNotMatter() throws {
    try host.startWithSources(spec, of: sample, faults: "slow=2")
    try host.follow(spec.attempt, until: isFeedStarted)
    #expect(try host.outcome(spec.attempt).failure == nil)
  }

  @Test func cancelEndsWhatCalledSetsid() throws {
    try host.startWithSources(spec, of: sample, faults: "hang=setsid")
    try host.follow(spec.attempt, until: isFeedStarted)
    // barys and what it leaves in a session of its own; the suite's time limit bounds the wait.
    while try host.processes(spec.attempt).count < 2 { try #require(try host.processes(spec.attempt).count > 0) }
    let answer = try host.ask(CancelAnswer.self, ["cancel", spec.attempt.description])
    #expect(answer == CancelAnswer(attempt: spec.attempt, known: true, wasRunning: true))
    #expect(try host.processes(spec.attempt) == [])
    let outcome = try host.outcome(spec.attempt)
    #expect(outcome.failure?.kind == .cancelled)
    #expect(outcome.failure?.step == .feed)
    #expect(try host.ask(CancelAnswer.self, ["cancel", spec.attempt.description]).wasRunning == false)
  }

  /// A runner that does not react is ended by force.
  @Test func cancelEndsAStoppedRunner() throws {
    try host.startWithSources(spec, of: sample, faults: "hang=setsid")
    try host.follow(spec.attempt, until: isFeedStarted)
    kill(try host.runner(spec.attempt), SIGSTOP)
    #expect(try host.ask(CancelAnswer.self, ["cancel", spec.attempt.description]).wasRunning)
    #expect(try host.processes(spec.attempt) == [])
    #expect(try host.outcome(spec.attempt).failure?.kind == .cancelled)
  }

  @Test func startingTwiceAtOnceRunsOnce() throws {
    // Sources first, so that both calls get as far as starting.
    try host.startWithSources(spec, of: sample)
    var second = spec
    second.attempt = AttemptID(request: RequestID(now: .now), slug: spec.slug, number: 1)
    let input = Array(try CanonicalJSON.encode(second)) + [10]
    let children = try (0..<4).map { _ in try host.child(["start"], input: input) }
    for child in children {
      let text = child.wait().output
      #expect(text == "\(WorkerProtocol.marker)\n{\"started\":{}}\n")
    }
    let lines = try host.attach(second.attempt)
    let starts = lines.filter { if case .event(let event) = $0, event.kind == .stepStarted(.source) { true } else { false } }
    #expect(starts.count == 1)
    #expect(try host.outcome(second.attempt).failure == nil)
  }

  @Test func unknownAttemptsAreToldApart() throws {
    #expect(try host.run(["attach", spec.attempt.description]).status == 3)
    #expect(
      try host.ask(CancelAnswer.self, ["cancel", spec.attempt.description]) == CancelAnswer(attempt: spec.attempt, known: false, wasRunning: false))
    #expect(try host.run(["attach", "../../etc"]).status == 2)
  }

  @Test func garbageGoesAndWhatIsNamedStays() throws {
    try host.startWithSources(spec, of: sample)
    let outcome = try host.outcome(spec.attempt)
    let stray = Data("stray".utf8)
    let frame = BlobDescriptor(digest: try #require(Digest(hex: "3de2d3f3c4b2bfdc5dfd0d8f1e4ecf0e4e8a4a4d1df4ba8a48d3d3e4ba1ef6ee")), size: 5)
    let wrong = try host.run(["blob", "put"], input: Data(try WorkerProtocol.line(frame)) + stray + Data("\n".utf8))
    #expect(wrong.status == 1 && wrong.errors.contains("content is not \(frame.digest)"))
    struct Freed: Decodable { var freedBytes: Int64 }
    let tree = "\(host.root)/attempts/\(spec.attempt)/tree"
    #expect(try host.ask(Freed.self, ["gc"]).freedBytes == 0)
    #expect(FileManager.default.fileExists(atPath: tree))
    #expect(try host.ask(Freed.self, ["gc", "--tree-days", "0"]).freedBytes > 0)
    #expect(!FileManager.default.fileExists(atPath: tree))
    #expect(try host.ask([BlobDescriptor].self, ["blob", "has"], input: descriptors(outcome.blobs)) == [])
    #expect(try host.outcome(spec.attempt) == outcome)
  }

  @Test func blobsComeBackAsFrames() throws {
    let store = try BlobStoreProbe(host)
    let blob = try store.put(Data("hello".utf8))
    let answer = try host.run(["blob", "get"], input: descriptors([blob]))
    #expect(answer.status == 0)
    #expect(answer.lines == [String(decoding: try CanonicalJSON.encode(blob), as: UTF8.self), "hello"])
    let absent = BlobDescriptor(digest: try #require(Digest(hex: String(repeating: "0", count: 64))), size: 1)
    #expect(try host.ask([BlobDescriptor].self, ["blob", "has"], input: descriptors([blob, absent])) == [absent])
    #expect(try host.run(["blob", "get"], input: descriptors([absent])).errors.contains("is not in the store"))
  }

  private func descriptors(_ blobs: [BlobDescriptor]) throws -> Data {
    Data(try blobs.map { try WorkerProtocol.line($0) }.joined())
  }
}

/// Puts blobs through the worker itself.
struct BlobStoreProbe {
  let host: WorkerHost
  init(_ host: WorkerHost) throws { self.host = host }

  func put(_ data: Data) throws -> BlobDescriptor {
    // The digest of "hello".
    let digest = try #require(Digest(hex: "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"))
    let blob = BlobDescriptor(digest: digest, size: Int64(data.count))
    let taken = try host.ask(
      [BlobDescriptor].self, ["blob", "put"], input: Data(try WorkerProtocol.line(blob)) + data + Data("\n".utf8))
    #expect(taken == [blob])
    return blob
  }
}
