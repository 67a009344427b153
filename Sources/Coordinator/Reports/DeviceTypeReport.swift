import BuildModel

/// One device type's end. Absent values are explicit nulls in the JSON.
package struct DeviceTypeReport: Codable, Hashable, Sendable {
  package enum Result: String, Codable, Hashable, Sendable, CaseIterable {
    case built, reused, skipped, failed, cancelled
  }
  package struct Block: Codable, Hashable, Sendable {
    package var name: BlockName
    /// Digest of the OCI manifest.
    package var digest: Digest
    /// Digest of the Docker manifest: what registries and devices use.
    package var dockerDigest: Digest
    package var platform: Platform
    package var packages: [BlockResult.Package]
    package init(_ block: BlockResult) {
      name = block.name
      digest = block.manifest.digest
      dockerDigest = block.dockerManifest.digest
      platform = block.platform
      packages = block.packages
    }
  }
  /// One application's release in a cloud.
  package struct Release: Codable, Hashable, Sendable {
    package struct Image: Codable, Hashable, Sendable {
      package var service: String
      /// Digest of the Docker manifest.
      package var digest: Digest
      /// What a registry client pulls: `<location>@<digest>`.
      package var reference: String
      package init(service: String, digest: Digest, reference: String) {
        self.service = service
        self.digest = digest
        self.reference = reference
      }
    }
    package struct Asset: Codable, Hashable, Sendable {
      package var key: String
      package var digest: Digest
      package var size: Int64
      package init(key: String, digest: Digest, size: Int64) {
        self.key = key
        self.digest = digest
        self.size = size
      }
    }
    /// `organization/name`.
    package var application: String
    package var id: Int64
    package var commit: String
    /// As the server spells it; a draft's holds its time.
    package var version: String
    package var isFinal: Bool
    package var images: [Image]
    /// nil for a release of somebody else with the same images.
    package var assets: [Asset]?
    package init(application: String, id: Int64, commit: String, version: String, isFinal: Bool, images: [Image], assets: [Asset]?) {
      self.application = application
      self.id = id
      self.commit = commit
      self.version = version
      self.isFinal = isFinal
      self.images = images
      self.assets = assets
    }
  }
  /// A submodule of the device repository, as it was built.
  package struct Submodule: Codable, Hashable, Sendable {
    /// Below the repository's root.
    package var path: RelativePath
    package var commit: CommitID
    package init(path: RelativePath, commit: CommitID) {
      self.path = path
      self.commit = commit
    }
  }
  package struct File: Codable, Hashable, Sendable {
    /// Relative to the device type's directory.
    package var path: RelativePath
    package var digest: Digest
    package var size: Int64
    package init(path: RelativePath, digest: Digest, size: Int64) {
      self.path = path
      self.digest = digest
      self.size = size
    }

    package var blob: BlobDescriptor { BlobDescriptor(digest: digest, size: size) }
  }

  package var slug: Slug
  package var machine: Machine
  package var arch: Architecture
  /// nil for a device type whose repository cannot be read.
  package var version: OSVersion?
  package var outcome: Result
  /// Why it was not built; nil when it was built or reused.
  package var reason: String?
  /// The kind of failure, for exit codes and retries; nil unless `outcome` is failed or cancelled.
  package var failure: Failure.Kind?
  /// Whose fault the failure is; nil unless `outcome` is failed or cancelled.
  package var blame: Blame?
  package var details: [String]
  /// The last console lines and where the whole log is are shown for failures: path relative to the device type's directory.
  package var log: RelativePath?
  /// The own logs of tasks that failed, of all attempts; nil where nothing failed.
  package var taskLogs: [File]?
  package var host: HostName?
  package var attempts: Int
  package var steps: [StepResult]
  package var blocks: [Block]
  package var artifacts: [File]
  package var images: [File]
  /// What was published, blocks first and the hostOS last; nil where nothing was.
  package var releases: [Release]?
  /// Notices: blocks that do not fit, packages with maintainer scripts, …
  package var notices: [String]
  /// The device repository's commit; nil for a device type that was skipped, and in what earlier versions wrote (the next four, too).
  package var commit: CommitID?
  package var submodules: [Submodule]?
  /// Whether the build is exactly what its version's tag stands for.
  package var isRelease: Bool?
  /// When its first attempt began, or where nothing had to be built, its delivery; nil where neither came to pass.
  package var startedAt: Timestamp?
  package var endedAt: Timestamp?
  /// The weakest isolation that programs of the repository had while it was made, also in the requests whose results it reuses.
  package var isolation: Isolation?

  package init(
    slug: Slug, machine: Machine, arch: Architecture, version: OSVersion?, outcome: Result, reason: String?, failure: Failure.Kind? = nil,
    blame: Blame? = nil, details: [String] = [], log: RelativePath? = nil, taskLogs: [File]? = nil, host: HostName? = nil, attempts: Int = 0,
    steps: [StepResult] = [],
    blocks: [Block] = [], artifacts: [File] = [], images: [File] = [], releases: [Release]? = nil,
    notices: [String] = []
  ) {
    self.slug = slug
    self.machine = machine
    self.arch = arch
    self.version = version
    self.outcome = outcome
    self.reason = reason
    self.failure = failure
    self.blame = blame
    self.details = details
    self.log = log
    self.taskLogs = taskLogs
    self.host = host
    self.attempts = attempts
    self.steps = steps
    self.blocks = blocks
    self.artifacts = artifacts
    self.images = images
    self.releases = releases
    self.notices = notices
  }
}

extension DeviceTypeReport {
  enum CodingKeys: String, CodingKey {
    case slug, machine, arch, version, outcome, reason, failure, blame, details, log, taskLogs, host, attempts, steps, blocks, artifacts, images,
      releases, notices, commit, submodules, isRelease, startedAt, endedAt, isolation
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(slug, forKey: .slug)
    try container.encode(machine, forKey: .machine)
    try container.encode(arch, forKey: .arch)
    try container.encode(version, forKey: .version)
    try container.encode(outcome, forKey: .outcome)
    try container.encode(reason, forKey: .reason)
    try container.encode(failure, forKey: .failure)
    try container.encode(blame, forKey: .blame)
    try container.encode(details, forKey: .details)
    try container.encode(log, forKey: .log)
    try container.encode(taskLogs, forKey: .taskLogs)
    try container.encode(host, forKey: .host)
    try container.encode(attempts, forKey: .attempts)
    try container.encode(steps, forKey: .steps)
    try container.encode(blocks, forKey: .blocks)
    try container.encode(artifacts, forKey: .artifacts)
    try container.encode(images, forKey: .images)
    try container.encode(releases, forKey: .releases)
    try container.encode(notices, forKey: .notices)
    try container.encode(commit, forKey: .commit)
    try container.encode(submodules, forKey: .submodules)
    try container.encode(isRelease, forKey: .isRelease)
    try container.encode(startedAt, forKey: .startedAt)
    try container.encode(endedAt, forKey: .endedAt)
    try container.encode(isolation, forKey: .isolation)
  }
}
