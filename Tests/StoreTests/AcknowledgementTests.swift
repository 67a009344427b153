import BuildModel
import FoundationEssentials
import Store
import TestFiles
import Testing

/// What hosts were told, and what builds took there.
struct AcknowledgementTests {
  private let slug: Slug
  private let host: HostName

  init() throws {
    slug = try Slug("board")
    host = try HostName("h")
  }

  private func attempt(_ request: RequestID, _ number: Int, system: Bool = true) throws -> AttemptRecord {
    let id = AttemptID(request: request, slug: slug, number: number)
    let commit = try #require(CommitID(String(repeating: "b", count: 40)))
    let digest = try #require(Digest(hex: String(repeating: "a", count: 64)))
    let image = SystemSpec(
      image: [try RecipeName("balena-image")], deployArtifact: "x", deployFlasherArtifact: nil, deployRawArtifact: nil, compressed: true,
      archive: false)
    let spec = TaskSpec(
      attempt: id, slug: slug, machine: try Machine("m"), arch: .amd64, osVersion: OSVersion("1.2.3")!, manifestFile: "m",
      source: SourceSpec(repository: "r", root: SourceTree(mirror: digest, commit: commit, tags: []), submodules: [], isDirty: false),
      driver: .barys, sourceDateEpoch: 1, feed: nil, blocks: [], system: system ? image : nil, limits: Limits())
    return AttemptRecord(id: id, host: host, spec: spec, startedAt: Timestamp(milliseconds: Int64(number) * 1000))
  }

  private func withStore(_ body: (StateStore, RequestRecord) async throws -> Void) async throws {
    try await withScratchDirectory { directory in
      let store = try StateStore(directory: directory)
      let now = Timestamp(milliseconds: 0)
      let request = RequestRecord(
        id: RequestID(now: now), createdAt: now, planDigest: try #require(Digest(hex: String(repeating: "a", count: 64))), output: "/out")
      try await store.add(request, tasks: [])
      try await body(store, request)
    }
  }

  @Test func aHostIsOwedWhatWasCollected() async throws {
    try await withStore { store, request in
      let attempts = try (1...3).map { try attempt(request.id, $0) }
      for attempt in attempts { try await store.add(attempt) }
      #expect(try await store.unacknowledged(on: host, limit: 9).isEmpty)
      try await store.noteCollected(attempts[1].id)
      try await store.noteCollected(attempts[0].id)
      #expect(try await store.unacknowledged(on: host, limit: 9) == [attempts[0].id, attempts[1].id])
      #expect(try await store.unacknowledged(on: host, limit: 1) == [attempts[0].id])
      #expect(try await store.unacknowledged(on: HostName("other"), limit: 9).isEmpty)
      try await store.noteAcknowledged(attempts[0].id)
      #expect(try await store.unacknowledged(on: host, limit: 9) == [attempts[1].id])
      // Of an ended request nothing is wanted.
      try await store.end(request.id, at: Timestamp(milliseconds: 5))
      #expect(try await store.unacknowledged(on: host, limit: 9) == [attempts[1].id, attempts[2].id])
    }
  }

  @Test func goodAttemptsSayWhatTheyTook() async throws {
    try await withStore { store, request in
      // Bytes, whether the system was built, whether it failed.
      let rows: [(Int64?, Bool, Bool)] = [(10, true, false), (20, false, false), (nil, true, false), (40, true, true), (50, true, false)]
      for (index, row) in rows.enumerated() {
        let attempt = try attempt(request.id, index + 1, system: row.1)
        try await store.add(attempt)
        let outcome = Outcome(
          attempt: attempt.id, failure: row.2 ? Failure(kind: .build, step: nil, reason: "x") : nil, steps: [], blocks: [], artifacts: [],
          startedAt: attempt.startedAt, endedAt: attempt.startedAt, packageArchitectures: [], diskBytes: row.0)
        try await store.append(WorkerEvent(sequence: 1, time: attempt.startedAt, kind: .outcome(outcome)), to: attempt.id)
      }
      try await store.add(attempt(request.id, 9))
      #expect(try await store.diskBytes(of: slug, system: true, blocks: false, limit: 9) == [50, 10])
      #expect(try await store.diskBytes(of: slug, system: false, blocks: false, limit: 9) == [50, 20, 10])
      #expect(try await store.diskBytes(of: slug, system: false, blocks: false, limit: 1) == [50])
      #expect(try await store.diskBytes(of: slug, system: false, blocks: true, limit: 9).isEmpty, "none made blocks")
      #expect(try await store.diskBytes(of: Slug("other"), system: false, blocks: false, limit: 9).isEmpty)
    }
  }
}
