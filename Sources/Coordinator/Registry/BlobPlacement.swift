import BuildModel
import FoundationEssentials

/// Where blobs are in one registry, as far as this program has seen it, so that each is uploaded once and mounted elsewhere.
actor BlobPlacement {
  enum Claim: Sendable {
    /// Somebody else has brought it into the repository meanwhile.
    case present
    /// The caller uploads it and calls ``release(_:in:)``.
    case upload
    case mount(from: RepositoryName)
  }

  private var places: [Digest: [RepositoryName]] = [:]
  private var claimed: Set<Digest> = []
  private var waiting: [Digest: [UUID: CheckedContinuation<Void, any Error>]] = [:]

  func note(_ digest: Digest, in repository: RepositoryName) {
    if places[digest, default: []].count < 8, !has(digest, in: repository) { places[digest, default: []].append(repository) }
  }

  func has(_ digest: Digest, in repository: RepositoryName) -> Bool { places[digest]?.contains(repository) ?? false }

  /// What to do for the blob to be in `repository`. While somebody uploads it, others wait; what cannot be mounted from `refused` is not offered again.
  func claim(_ digest: Digest, for repository: RepositoryName, refused: Set<RepositoryName>) async throws -> Claim {
    while true {
      if has(digest, in: repository) { return .present }
      if let place = places[digest]?.first(where: { !refused.contains($0) }) { return .mount(from: place) }
      if claimed.insert(digest).inserted { return .upload }
      let id = UUID()
      try await withTaskCancellationHandler {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
          if Task.isCancelled {
            continuation.resume(throwing: CancellationError())
            return
          }
          waiting[digest, default: [:]][id] = continuation
        }
      } onCancel: {
        // An actor is reached from a synchronous handler in no other way.
        Task { await self.giveUp(digest, id) }
      }
    }
  }

  /// The upload has ended; with a repository, it is there now.
  func release(_ digest: Digest, in repository: RepositoryName?) {
    if let repository { note(digest, in: repository) }
    claimed.remove(digest)
    for continuation in (waiting.removeValue(forKey: digest) ?? [:]).values { continuation.resume() }
  }

  private func giveUp(_ digest: Digest, _ id: UUID) {
    waiting[digest]?.removeValue(forKey: id)?.resume(throwing: CancellationError())
  }
}
