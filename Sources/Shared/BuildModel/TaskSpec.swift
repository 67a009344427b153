import FoundationEssentials

/// All that a worker needs to build one device type; it asks nothing back.
///
/// The JSON form is the second half of the wire protocol (`start` reads it from standard input), so its keys are part of ``WorkerProtocol/version``.
package struct TaskSpec: Codable, Hashable, Sendable {
  /// 1; 2 where the settings have variables, which a worker that knows only 1 would leave out.
  package var version: Int
  package var attempt: AttemptID
  package var slug: Slug
  package var machine: Machine
  package var arch: Architecture
  package var osVersion: OSVersion
  /// File name of the device type's manifest without suffix.
  package var manifestFile: String
  package var source: SourceSpec
  package var driver: Driver
  package var settings: Settings
  /// Seconds since 1970 that every file time in made images is clamped to: the commit's time.
  package var sourceDateEpoch: Int64
  /// nil when there is no feed.
  package var feed: FeedSpec?
  /// The blocks to make; those of packages need a feed.
  package var blocks: [BlockSpec]
  /// nil when hostapp and target image need not be built.
  package var system: SystemSpec?
  package var limits: Limits
  /// nil: the worker's default.
  package var confinement: Confinement?

  package init(
    attempt: AttemptID, slug: Slug, machine: Machine, arch: Architecture, osVersion: OSVersion, manifestFile: String,
    source: SourceSpec, driver: Driver, sourceDateEpoch: Int64, feed: FeedSpec?, blocks: [BlockSpec],
    system: SystemSpec?, limits: Limits, settings: Settings = Settings()
  ) {
    self.settings = settings
    version = settings.variables.isEmpty ? 1 : 2
    self.attempt = attempt
    self.slug = slug
    self.machine = machine
    self.arch = arch
    self.osVersion = osVersion
    self.manifestFile = manifestFile
    self.source = source
    self.driver = driver
    self.sourceDateEpoch = sourceDateEpoch
    self.feed = feed
    self.blocks = blocks
    self.system = system
    self.limits = limits
  }
}

/// Exact commits of a device repository and of each submodule.
package struct SourceSpec: Codable, Hashable, Sendable {
  /// The repository's name in the configuration, for messages.
  package var repository: String
  package var root: SourceTree
  package var submodules: [Submodule]
  /// Whether the coordinator's work tree had uncommitted changes (they are *not* sent; the result is marked as no release).
  package var isDirty: Bool

  package struct Submodule: Codable, Hashable, Sendable {
    /// Where it lies below the repository's root.
    package var path: RelativePath
    package var tree: SourceTree

    package init(path: RelativePath, tree: SourceTree) {
      self.path = path
      self.tree = tree
    }
  }

  package init(repository: String, root: SourceTree, submodules: [Submodule], isDirty: Bool) {
    self.repository = repository
    self.root = root
    self.submodules = submodules
    self.isDirty = isDirty
  }

  /// The root and all submodules.
  package var trees: [SourceTree] { [root] + submodules.map(\.tree) }
}

/// One git repository at one commit, as a mirror on a worker holds it.
package struct SourceTree: Codable, Hashable, Sendable {
  /// The mirror's name on the worker: sha256 of the origin URL (or of the absolute path where there is no origin).
  package var mirror: Digest
  /// 40 hexadecimal digits.
  package var commit: CommitID
  /// Annotated or lightweight tags that must exist in the checkout for `git describe`.
  package var tags: [String]

  package init(mirror: Digest, commit: CommitID, tags: [String]) {
    self.mirror = mirror
    self.commit = commit
    self.tags = tags
  }
}

/// A git commit id of 40 lower-case hexadecimal digits.
package struct CommitID: Hashable, Sendable, Codable, CustomStringConvertible {
  package let hex: String
  package init?(_ text: some StringProtocol) {
    guard text.utf8.count == 40, text.utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) }) else { return nil }
    hex = String(text)
  }
  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let id = CommitID(text) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a commit id: \(text.prefix(80))")
    }
    self = id
  }
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(hex)
  }
  package var description: String { hex }
  package var short: String { String(hex.prefix(10)) }
  /// As images and releases name the device repository's commit (`io.balena.private.hostapp.board-rev`): 7 digits.
  package var boardRevision: String { String(hex.prefix(7)) }
}

/// The hostapp and target image to build.
package struct SystemSpec: Codable, Hashable, Sendable {
  /// bitbake targets (`yocto.image`).
  package var image: [RecipeName]
  package var deployArtifact: String
  package var deployFlasherArtifact: String?
  package var deployRawArtifact: String?
  package var compressed: Bool
  package var archive: Bool

  package init(
    image: [RecipeName], deployArtifact: String, deployFlasherArtifact: String?, deployRawArtifact: String?, compressed: Bool, archive: Bool
  ) {
    self.image = image
    self.deployArtifact = deployArtifact
    self.deployFlasherArtifact = deployFlasherArtifact
    self.deployRawArtifact = deployRawArtifact
    self.compressed = compressed
    self.archive = archive
  }
}

/// Bounds that the worker itself enforces.
package struct Limits: Codable, Hashable, Sendable {
  /// Seconds without any console output before the attempt is ended as timed out.
  package var silentSeconds: Double
  /// Seconds from start to outcome.
  package var totalSeconds: Double
  /// Bytes of console log; beyond it the log is cut with a marker line and the build goes on.
  package var logBytes: Int64
  /// Bytes of disk that the attempt will need; the worker makes room for them first. nil where that is not known.
  package var diskBytes: Int64?

  package init(silentSeconds: Double = 4.5 * 3600, totalSeconds: Double = 12 * 3600, logBytes: Int64 = 512 << 20, diskBytes: Int64? = nil) {
    self.diskBytes = diskBytes
    self.silentSeconds = silentSeconds
    self.totalSeconds = totalSeconds
    self.logBytes = logBytes
  }
}
