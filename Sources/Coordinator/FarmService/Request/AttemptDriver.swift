import BlobStore
import Blocks
import BuildModel
import Executors
import FoundationEssentials
import Glibc
import Planning
import Reports
import Store

/// Carries one attempt from dispatch to its outcome: sends what the worker misses, follows its events, keeps its log.
struct AttemptDriver: Sendable {
  let context: FarmContext
  let tree: DeployTree
  let bundles: SourceBundles
  let report: @Sendable (FarmEvent) -> Void
  /// How long a host may be unreachable before its attempt is abandoned.
  var patience: Duration = .seconds(30 * 60)

  /// Runs (or, after a restart of the coordinator, re-attaches to) the attempt. The outcome is in the store when this returns.
  func run(_ attempt: AttemptRecord, client: WorkerClient) async -> Outcome {
    do {
      if attempt.state == .dispatching { try await start(attempt.spec, client: client) }
      return try await follow(attempt, client: client)
    } catch {
      let failure = Failure(cause: error)
      let outcome = Outcome(
        attempt: attempt.id, failure: failure, steps: [], blocks: [], artifacts: [], startedAt: attempt.startedAt, endedAt: .now,
        packageArchitectures: [])
      // The worker may still be at it: from here on whatever it says about this attempt is superseded.
      try? await context.store.set(attempt.id, state: .abandoned)
      return outcome
    }
  }

  /// `start` is repeated with the missing sources and blobs sent in between; a worker that never has enough is refused.
  private func start(_ spec: TaskSpec, client: WorkerClient) async throws {
    for _ in 0..<6 {
      switch try await client.start(spec) {
      case .started: return
      case .refused(let reason): throw Failure(kind: .rejected, step: .source, reason: reason)
      case .missing(let missing):
        for item in missing {
          let tags = spec.source.trees.first { $0.mirror == item.mirror && $0.commit == item.commit }?.tags ?? []
          try await bundles.withBundle(of: item, tags: tags) { path in
            try await client.sendSource(mirror: item.mirror, commit: item.commit, bundlePath: path)
          }
        }
      case .missingBlobs(let missing):
        let inputs = Set(spec.inputs)
        if let stranger = missing.first(where: { !inputs.contains($0) }) {
          throw Failure(
            kind: .rejected, step: .feed, reason: "the worker asks for \(stranger.digest), which the task does not name", blame: .host)
        }
        _ = try await client.putBlobs(missing, from: context.blobs)
      }
    }
    throw Failure(kind: .infrastructure, step: .source, reason: "the worker keeps asking for what was sent")
  }

  private func follow(_ attempt: AttemptRecord, client: WorkerClient) async throws -> Outcome {
    let log = try AttemptLog(path: tree.log(attempt.id))
    let seen = attempt.lastEvent
    let store = context.store
    return try await client.follow(
      attempt.id, from: AttachPosition(), patience: patience,
      onInterruption: { [report] error in report(.interrupted(attempt.id.slug, attempt.host, "\(error)")) }
    ) { [report] line in
      switch line {
      case .log(_, _, let text): try await log.append(text)
      case .heartbeat: break
      case .event(let event):
        try await store.append(event, to: attempt.id)
        guard event.sequence > seen else { return }
        switch event.kind {
        case .stepStarted(let step): report(.stepStarted(attempt.id.slug, step))
        case .progress(let step, let done, let total): report(.progress(attempt.id.slug, step, done: done, total: total))
        case .notice(let text): report(.taskNotice(attempt.id.slug, text))
        case .stepEnded(let result): report(.stepEnded(attempt.id.slug, result))
        case .outcome: break
        }
      }
    }
  }
}

/// The coordinator's copy of an attempt's console log; written from the start at each attach by a new process.
actor AttemptLog {
  private let handle: FileHandleWriter

  init(path: String) throws {
    try DeployTree.makeParents(of: path)
    handle = try FileHandleWriter(path: path)
  }

  func append(_ text: String) throws { try handle.write(Array(text.utf8)) }
}
