import BuildModel
import FoundationEssentials
import Store
import TestFiles
import Testing

/// The journal on a real SQLite file.
struct StateStoreTests {
  func withDirectory<Value>(_ body: (String) async throws -> Value) async throws -> Value {
    try await withScratchDirectory { directory in
      return try await body(directory)
    }
  }

  let digest = Digest(hex: String(repeating: "a", count: 64))!
  let commit = CommitID(String(repeating: "b", count: 40))!

  func spec(_ id: AttemptID) throws -> TaskSpec {
    TaskSpec(
      attempt: id, slug: id.slug, machine: try Machine("m"), arch: .amd64, osVersion: OSVersion("1.2.3")!, manifestFile: "m",
      source: SourceSpec(
        repository: "r", root: SourceTree(mirror: digest, commit: commit, tags: ["v1.2.3"]), submodules: [], isDirty: false), driver: .barys,
      sourceDateEpoch: 1, feed: nil, blocks: [], system: nil, limits: Limits())
  }

  @Test func keepsRequestsTasksAttemptsAndEventsAcrossProcesses() async throws {
    try await withDirectory { directory in
      let now = Timestamp(milliseconds: 1_800_000_000_000)
      let request = RequestRecord(id: RequestID(now: now), createdAt: now, planDigest: digest, output: "/out")
      let slug = try Slug("board")
      let id = AttemptID(request: request.id, slug: slug, number: 1)
      do {
        let store = try StateStore(directory: directory)
        try await store.add(
          request,
          tasks: [TaskRecord(request: request.id, slug: slug, machine: try Machine("m"), arch: .amd64, state: .waiting, planned: [123, 125])])
        try await store.add(AttemptRecord(id: id, host: try HostName("h"), spec: try spec(id), startedAt: now))
        for number in 1...3 {
          try await store.append(WorkerEvent(sequence: number, time: now, kind: .notice("n\(number)")), to: id)
        }
        // An event that comes again after a cut link changes nothing.
        try await store.append(WorkerEvent(sequence: 2, time: now, kind: .notice("other")), to: id)
      }
      let store = try StateStore(directory: directory)
      #expect(try await store.unfinishedRequests() == [request])
      let attempt = try #require(try await store.attempts(of: request.id).first)
      #expect(attempt.state == .running)
      #expect(attempt.lastEvent == 3)
      #expect(attempt.spec == (try spec(id)))
      #expect(try await store.events(of: id, after: 1).map(\.kind) == [.notice("n2"), .notice("n3")])
      let outcome = Outcome(
        attempt: id, failure: nil, steps: [], blocks: [], artifacts: [], startedAt: now, endedAt: now, packageArchitectures: [])
      try await store.append(WorkerEvent(sequence: 4, time: now, kind: .outcome(outcome)), to: id)
      #expect(try await store.attempt(id)?.outcome == outcome)
      #expect(try await store.attempt(id)?.state == .ended)
      try await store.end(request.id, at: now)
      #expect(try await store.unfinishedRequests().isEmpty)
    }
  }

  @Test func supersedesTheLateOutcomeOfAnAbandonedAttempt() async throws {
    try await withDirectory { directory in
      let store = try StateStore(directory: directory)
      let now = Timestamp(milliseconds: 0)
      let request = RequestRecord(id: RequestID(now: now), createdAt: now, planDigest: digest, output: "/out")
      try await store.add(request, tasks: [])
      let id = AttemptID(request: request.id, slug: try Slug("board"), number: 1)
      try await store.add(AttemptRecord(id: id, host: try HostName("h"), spec: try spec(id), startedAt: now))
      try await store.set(id, state: .abandoned)
      let outcome = Outcome(
        attempt: id, failure: nil, steps: [], blocks: [], artifacts: [], startedAt: now, endedAt: now, packageArchitectures: [])
      try await store.append(WorkerEvent(sequence: 1, time: now, kind: .outcome(outcome)), to: id)
      #expect(try await store.attempt(id)?.state == .superseded)
    }
  }

  @Test func writesTheEndOfATaskOnce() async throws {
    try await withDirectory { directory in
      let store = try StateStore(directory: directory)
      let now = Timestamp(milliseconds: 0)
      let request = RequestRecord(id: RequestID(now: now), createdAt: now, planDigest: digest, output: "/out")
      let slug = try Slug("board")
      try await store.add(
        request, tasks: [TaskRecord(request: request.id, slug: slug, machine: try Machine("m"), arch: .amd64, state: .waiting, planned: [123, 125])])
      try await store.end(request.id, slug, record: Array("1".utf8))
      try await store.end(request.id, slug, record: Array("2".utf8))
      #expect(try await store.tasks(of: request.id).first?.record == Array("1".utf8))
    }
  }

  @Test func letsOneEngineIn() async throws {
    try await withDirectory { directory in
      _ = try StateStore(directory: directory)
      let first = try EngineLock(directory: directory)
      #expect(first != nil)
      #expect(try EngineLock(directory: directory) == nil)
      withExtendedLifetime(first) {}
    }
  }

  /// Asking gets in nobody's way; the kernel's lock tells a dead engine from a living one.
  @Test func tellsALivingEngineFromOneThatEnded() async throws {
    try await withDirectory { directory in
      _ = try StateStore(directory: directory)
      #expect(try EngineLock.standing(in: directory) == EngineStanding(isAlive: false, owner: nil))
      let request = RequestID(now: Timestamp(milliseconds: 1_800_000_000_000))
      do {
        let engine = try #require(try EngineLock(directory: directory))
        #expect(try EngineLock.standing(in: directory).owner?.request == nil)
        try engine.note(request: request)
        let standing = try EngineLock.standing(in: directory)
        #expect(standing.isAlive)
        #expect(standing.owner?.pid == ProcessInfo.processInfo.processIdentifier)
        #expect(standing.owner?.request == request)
        #expect(standing.owner?.isOfEarlierBoot == false)
        withExtendedLifetime(engine) {}
      }
      let standing = try EngineLock.standing(in: directory)
      #expect(!standing.isAlive)
      #expect(standing.owner?.request == request)
    }
  }

  @Test(arguments: ["", "no number", "12 boot", "-1 boot -", "12 boot - more"])
  func readsNoOwnerFromADamagedLockFile(content: String) async throws {
    try await withDirectory { directory in
      _ = try StateStore(directory: directory)
      try Data(content.utf8).write(to: URL(filePath: directory + "/engine.lock"))
      #expect(try EngineLock.standing(in: directory) == EngineStanding(isAlive: false, owner: nil))
    }
  }

  @Test func drainsAndResumesHosts() async throws {
    try await withDirectory { directory in
      let store = try StateStore(directory: directory)
      let host = try HostName("h")
      #expect(try await store.host(host).drained == nil)
      try await store.setHealth(Array("{\"consecutiveFailures\":2}".utf8), of: host)
      try await store.setDrained("new disk", of: host)
      #expect(try await store.host(host).drained == "new disk")
      #expect(try await store.host(host).health == Array("{\"consecutiveFailures\":2}".utf8))
      #expect(try await store.hosts().mapValues(\.drained) == [host: "new disk"])
      try await store.setDrained(nil, of: host)
      #expect(try await store.host(host).drained == nil)
      #expect(try await store.host(host).health == Array("{\"consecutiveFailures\":0,\"lastReason\":\"\"}".utf8))
    }
  }
}
