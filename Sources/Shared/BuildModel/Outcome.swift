import FoundationEssentials

/// A file that an attempt made, as a blob.
package struct Artifact: Codable, Hashable, Sendable {
  /// Path below `deploy-jenkins/` (for example `image/balena.img`, `ipk/all/x.ipk`), see ``Role`` for what it is.
  package var path: RelativePath
  package var digest: Digest
  package var size: Int64
  package var role: Role

  package enum Role: String, Codable, Hashable, Sendable {
    /// A file of the deploy-jenkins layout, kept as it is.
    case file
    /// A disk image as the build made it; `path` is below `images/`.
    case diskImage = "disk-image"
    /// A package or index of the feed; `path` begins with `ipk/`.
    case feed
    /// The own log of a task that failed, for a failed attempt; `path` is below `logs/`.
    case log
  }
  package init(path: RelativePath, digest: Digest, size: Int64, role: Role) {
    self.path = path
    self.digest = digest
    self.size = size
    self.role = role
  }

  package var blob: BlobDescriptor { BlobDescriptor(digest: digest, size: size) }
}

/// The typed end of an attempt, written once and never changed.
package struct Outcome: Codable, Hashable, Sendable {
  /// Always 1.
  package var version = 1
  package var attempt: AttemptID
  /// nil when the attempt built everything its spec asked for.
  package var failure: Failure?
  package var steps: [StepResult]
  package var blocks: [BlockResult]
  package var artifacts: [Artifact]
  package var startedAt: Timestamp
  package var endedAt: Timestamp
  /// PACKAGE_ARCHS of the build, lowest preference first; empty when no feed was built.
  package var packageArchitectures: [String]
  /// Bytes that the attempt's files took on the disk at its end; nil where that was not measured.
  package var diskBytes: Int64?
  /// The weakest isolation that a program of the repository had; nil where none ran (only packages of a provided feed were assembled), and in what
  /// earlier workers wrote.
  package var isolation: Isolation?

  package init(
    attempt: AttemptID, failure: Failure?, steps: [StepResult], blocks: [BlockResult], artifacts: [Artifact],
    startedAt: Timestamp, endedAt: Timestamp, packageArchitectures: [String], diskBytes: Int64? = nil, isolation: Isolation? = nil
  ) {
    self.isolation = isolation
    self.diskBytes = diskBytes
    self.attempt = attempt
    self.failure = failure
    self.steps = steps
    self.blocks = blocks
    self.artifacts = artifacts
    self.startedAt = startedAt
    self.endedAt = endedAt
    self.packageArchitectures = packageArchitectures
  }

  /// Every blob that the outcome names, each once.
  package var blobs: [BlobDescriptor] {
    var seen: Set<Digest> = []
    let all = blocks.flatMap(\.blobs) + artifacts.map(\.blob)
    return all.filter { seen.insert($0.digest).inserted }
  }
}
