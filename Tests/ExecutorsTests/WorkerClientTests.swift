import BlobStore
import BuildModel
import Foundation
import Synchronization
import TestFiles
import TestPeers
import Testing

@testable import Executors

/// The client against a stand-in that speaks the wire strictly, over SSH and as a child process.
@Suite struct WorkerClientTests {
  enum Route: CaseIterable { case ssh, local }

  /// A client and the stand-in's root.
  struct Farm {
    let client: WorkerClient
    let root: ScratchDirectory

    init(_ host: PrivateSSHD?, mode: String?) throws {
      root = try ScratchDirectory()
      let script = Fixtures().path("standin-worker.py")
      let binary = root.path + "/it's a worker"
      try Tool.run(["cp", script, binary])
      try Tool.run(["chmod", "755", binary])
      if let mode { _ = try root.write(mode, to: "mode") }
      let transport: any WorkerTransport = try host?.connection() ?? LocalTransport(loop: testLoop())
      client = WorkerClient(transport: transport, command: InstalledWorker(binary: binary, root: root.path))
    }

    func text(_ name: String) throws -> String { try String(contentsOfFile: root.path + "/" + name, encoding: .utf8) }
  }

  private func withFarm(
    _ route: Route, mode: String? = nil, startupFile: String? = nil, _ body: (Farm) async throws -> Void
  ) async throws {
    switch route {
    case .ssh: try await withPrivateSSHD(.init(startupFile: startupFile)) { try await body(Farm($0, mode: mode)) }
    case .local: try await body(Farm(nil, mode: mode))
    }
  }

  static let attempt = AttemptID("0193581e-37a4-7c3d-9b43-2f6f0e6a7a11.acme-pi.1")

  static func outcome(_ attempt: AttemptID) -> Outcome {
    let time = Timestamp(milliseconds: 1_700_000_000_000)
    return Outcome(
      attempt: attempt, failure: nil, steps: [], blocks: [], artifacts: [], startedAt: time, endedAt: time, packageArchitectures: [])
  }

  static func journal(_ lines: [AttachLine]) throws -> String {
    try lines.map { String(decoding: try WorkerProtocol.line($0), as: UTF8.self) }.joined()
  }

  static func event(_ number: Int, _ kind: WorkerEvent.Kind) -> AttachLine {
    .event(WorkerEvent(sequence: number, time: Timestamp(milliseconds: 1_700_000_000_000), kind: kind))
  }

  static func wholeJournal(_ attempt: AttemptID) -> [AttachLine] {
    [
      event(1, .stepStarted(.source)), .log(offset: 0, next: 5, text: "hello"), event(2, .notice("here")),
      .log(offset: 5, next: 9, text: "\u{fffd}abc"), event(3, .outcome(outcome(attempt))),
    ]
  }

  @Test(arguments: Route.allCases)
  func startsWithSecretsOnTheInputOnly(route: Route) async throws {
    try await withFarm(route) { farm in
      let attempt = try #require(Self.attempt)
      let tree = SourceTree(
        mirror: try #require(Digest(hex: String(repeating: "a", count: 64))), commit: try #require(CommitID(String(repeating: "b", count: 40))),
        tags: [])
      let spec = TaskSpec(
        attempt: attempt, slug: attempt.slug, machine: try Machine("acme"), arch: .aarch64, osVersion: OSVersion("6.1.24")!, manifestFile: "acme-pi",
        source: SourceSpec(repository: "acme", root: tree, submodules: [], isDirty: false), driver: .barys, sourceDateEpoch: 0, feed: nil,
        blocks: [], system: nil, limits: Limits())
      #expect(try await farm.client.start(spec, secrets: ["TOKEN": "hunter2"]) == .started)
      let started = try farm.text("started")
      #expect(started.contains(attempt.description))
      #expect(started.contains("\"secrets\": {\"TOKEN\": \"hunter2\"}"))
      #expect(started.components(separatedBy: "hunter2").count == 2)
    }
  }

  @Test(arguments: Route.allCases)
  func movesBlobsOnceAndChecksThem(route: Route) async throws {
    try await withFarm(route) { farm in
      let store = try BlobStore(root: farm.root.path + "/store")
      let blobs = try [noise(5 << 20), [], Array("small".utf8)].map { try store.put($0) }
      #expect(try await farm.client.missingBlobs(blobs) == blobs)
      let sent = try await farm.client.putBlobs(blobs, from: store)
      #expect(sent == TransferReport(sentBlobs: 3, sentBytes: blobs.reduce(0) { $0 + $1.size }, alreadyThere: 0))
      #expect(try await farm.client.putBlobs(blobs, from: store) == TransferReport(sentBlobs: 0, sentBytes: 0, alreadyThere: 3))

      let other = try BlobStore(root: store.root + "-other")
      defer { try? FileManager.default.removeItem(atPath: other.root) }
      try other.put(Array("small".utf8))
      let fetched = try await farm.client.fetchBlobs(blobs, into: other)
      #expect(fetched.sentBlobs == 2 && fetched.alreadyThere == 1)
      for blob in blobs { try other.verify(blob.digest) }
      #expect(try await farm.client.fetchBlobs(blobs, into: other).sentBlobs == 0)
    }
  }

  @Test(arguments: ["damaged", "short", "stranger", "fail"])
  func takesNoWrongBlob(mode: String) async throws {
    try await withFarm(.local) { farm in
      let store = try BlobStore(root: farm.root.path + "/store")
      let blob = try store.put(noise(100_000))
      _ = try await farm.client.putBlobs([blob], from: store)
      _ = try farm.root.write(mode, to: "mode")
      let other = try BlobStore(root: farm.root.path + "/other")
      #expect(await failure { try await farm.client.fetchBlobs([blob], into: other) } != nil)
      #expect(!other.has(blob.digest))
      #expect(try FileManager.default.contentsOfDirectory(atPath: other.root + "/sha256").isEmpty)
    }
  }

  @Test(arguments: Route.allCases)
  func followsAnAttemptOverACutConnection(route: Route) async throws {
    try await withFarm(route, mode: "cut") { farm in
      let attempt = try #require(Self.attempt)
      let journal = Self.wholeJournal(attempt)
      _ = try farm.root.write(try Self.journal(journal), to: "attach")
      let seen = Mutex<[AttachLine]>([])
      let losses = Mutex(0)
      let outcome = try await farm.client.follow(
        attempt, from: AttachPosition(), patience: .seconds(30), onInterruption: { _ in losses.withLock { $0 += 1 } },
        onLine: { line in seen.withLock { $0.append(line) } })
      #expect(outcome == Self.outcome(attempt))
      #expect(seen.withLock { $0 } == journal)
      #expect(losses.withLock { $0 } == 1)
      #expect(try farm.text("attached") == "1 0\n2 5\n")
    }
  }

  @Test func refusesAJournalThatIsOutOfOrder() async throws {
    let attempt = try #require(Self.attempt)
    let other = try #require(AttemptID("0193581e-37a4-7c3d-9b43-2f6f0e6a7a11.acme-pi.2"))
    let bad: [[AttachLine]] = [
      [Self.event(2, .notice("gap"))], [Self.event(1, .notice("a")), Self.event(1, .notice("again"))],
      [.log(offset: 3, next: 4, text: "x")], [.log(offset: 0, next: 0, text: "")], [.log(offset: 0, next: 300_000, text: "x")],
      [.log(offset: 0, next: 1, text: "much longer")], [Self.event(1, .outcome(Self.outcome(other)))],
    ]
    for lines in bad {
      try await withFarm(.local) { farm in
        _ = try farm.root.write(try Self.journal(lines), to: "attach")
        let error = await failure { try await farm.client.attach(attempt, from: AttachPosition()) { _ in } }
        guard case .malformed = error as? ExecutorError else {
          Issue.record("\(lines): \(String(describing: error))")
          return
        }
      }
    }
  }

  @Test func tellsAnUnknownAttempt() async throws {
    try await withFarm(.local, mode: "unknown") { farm in
      let attempt = try #require(Self.attempt)
      let error = await failure { try await farm.client.attach(attempt, from: AttachPosition()) { _ in } }
      #expect(error as? ExecutorError == .unknownAttempt(host: "local", attempt: attempt))
      #expect(try await farm.client.cancel(attempt).known == false)
    }
  }

  @Test func skipsWhatALoginShellPrints() async throws {
    let rc = try ScratchDirectory()
    defer { withExtendedLifetime(rc) {} }
    let file = try rc.write("for i in 1 2 3 4 5 6 7 8 9; do echo Welcome; echo warning >&2; done; printf 'no newline'\n", to: "rc")
    try await withFarm(.ssh, startupFile: file) { farm async throws in
      #expect(try await farm.client.collectGarbage() == 5)
      #expect(try await farm.client.list().isEmpty)
    }
  }

  @Test func tellsWhoIsNoWorker() async throws {
    try await withFarm(.ssh, mode: "version") { version async throws in
      #expect(await failure { try await version.client.list() } as? ExecutorError == .protocolMismatch(host: "arm-1", found: 99, expected: 2))
    }
    try await withFarm(.local, mode: "no-marker") { stranger async throws in
      let text = "\(try #require(await failure { try await stranger.client.list() }))"
      #expect(text.contains("Welcome to Example OS") && text.contains("command not found") && text.contains("status 127"))
    }
    try await withFarm(.local, mode: "endless-noise") { noise async throws in
      guard case .notAWorker = await failure(of: { try await noise.client.list() }) as? ExecutorError else {
        Issue.record("noise is taken for a worker")
        return
      }
    }
  }

  @Test func passesOnTheWorkersOwnErrorsAndBoundsLines() async throws {
    try await withFarm(.local, mode: "fail") { farm in
      #expect(
        "\(try #require(await failure { try await farm.client.list() }))" == "'list' on host local ended with status 1: no space left on the disk")
      let long = try Farm(nil, mode: "long-line")
      guard case .malformed = await failure(of: { try await long.client.list() }) as? ExecutorError else {
        Issue.record("a line of 17 MiB is taken")
        return
      }
    }
  }

  @Test(arguments: Route.allCases)
  func sendsSource(route: Route) async throws {
    try await withFarm(route) { farm in
      let bundle = try farm.root.write(String(repeating: "bundle", count: 500_000), to: "the bundle")
      try await farm.client.sendSource(
        mirror: try #require(Digest(hex: String(repeating: "a", count: 64))), commit: try #require(CommitID(String(repeating: "b", count: 40))),
        bundlePath: bundle)
      #expect(FileManager.default.contentsEqual(atPath: bundle, andPath: farm.root.path + "/bundle"))
    }
  }
}
