import BlobStore
import BoundedConcurrency
import BuildModel
import Executors

/// Fetches what an outcome names from the host that holds it.
struct CollectStep: Sendable {
  let blobs: BlobStore

  /// The outcome is checked before anything is fetched; every blob is checked against its digest on the way.
  func run(_ outcome: Outcome, spec: TaskSpec, client: WorkerClient) async throws {
    try OutcomeCheck.check(outcome, against: spec)
    _ = try await client.fetchBlobs(outcome.blobs, into: blobs)
    // The host lets go of them afterwards.
    try await BlockingWork.run { try blobs.syncNames() }
  }
}
