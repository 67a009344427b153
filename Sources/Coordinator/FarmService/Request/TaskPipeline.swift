import BlobStore
import Blocks
import BoundedConcurrency
import BuildModel
import Executors
import FoundationEssentials
import OCIImage
import Planning
import Reports
import Store

/// What becomes of one device type once its parts are there: fetched, verified, preloaded, laid out.
struct TaskPipeline: Sendable {
  let environment: FarmEnvironment
  let tree: DeployTree
  let registries: RegistryClients
  /// nil when nothing is to be published.
  let deployment: Deployment?
  let report: @Sendable (FarmEvent) -> Void

  /// What a device type's directory holds, and how it came to be.
  struct Delivered: Sendable {
    var part: DeliveredPart
    /// In the plan's order, whether they were made or fetched.
    var blocks: [BlockResult]
    var steps: [StepResult]
    var files: DeviceTypeReport.Delivered
    /// nil where nothing was to be published.
    var releases: [DeviceTypeReport.Release]?
  }

  struct Parts: Sendable {
    var system: SystemPart?
    var blocks: BlocksPart?
  }

  /// Fetches an outcome's blobs, checks everything and records the parts for later use.
  func collect(_ outcome: Outcome, of task: PlannedTask, spec: TaskSpec, host: HostName, client: WorkerClient) async throws -> [StepResult] {
    let blobs = environment.blobs
    let start = Timestamp.now
    report(.stepStarted(task.slug, .collect))
    try check(outcome, spec)
    _ = try await client.fetchBlobs(outcome.blobs, into: blobs)
    let collected = step(.collect, since: start, task.slug)
    let verifyStart = Timestamp.now
    report(.stepStarted(task.slug, .verify))
    for block in outcome.blocks {
      guard let wanted = spec.blocks.first(where: { $0.name == block.name }) else { continue }
      _ = try await BlockingWork.run { try BlockVerification.verify(block, against: wanted, in: blobs) }
    }
    let verified = step(.verify, since: verifyStart, task.slug)
    let parts = ReusableParts(environment: environment)
    let seconds = outcome.endedAt.seconds(since: outcome.startedAt)
    if spec.system != nil, let key = task.systemKey {
      try await parts.record(
        SystemPart(artifacts: outcome.artifacts.filter { !Self.isOfBlocks($0) }, host: host), key: key, slug: task.slug, seconds: seconds)
    }
    if !spec.blocks.isEmpty, let key = task.blocksKey(compressor: GzipChunks.identity) {
      try await parts.record(
        BlocksPart(
          blocks: outcome.blocks, artifacts: outcome.artifacts.filter(Self.isOfBlocks),
          packageArchitectures: outcome.packageArchitectures, host: host), key: key, slug: task.slug, seconds: seconds)
    }
    return [collected, verified]
  }

  /// The feed, and the assets of blocks that are built by recipes.
  private static func isOfBlocks(_ artifact: Artifact) -> Bool { artifact.role == .feed || artifact.path.text.hasPrefix("service/") }

  /// A worker is not trusted: what it delivers must be exactly what was asked for.
  private func check(_ outcome: Outcome, _ spec: TaskSpec) throws {
    func refuse(_ reason: String) -> Failure { Failure(kind: .rejected, step: .verify, reason: "the worker's outcome is refused: \(reason)") }
    guard outcome.attempt == spec.attempt else { throw refuse("it is for attempt \(outcome.attempt)") }
    let wanted = spec.blocks.map(\.name).sorted()
    guard outcome.blocks.map(\.name).sorted() == wanted else {
      throw refuse("blocks \(outcome.blocks.map(\.name.text)) instead of \(wanted.map(\.text))")
    }
    guard Set(outcome.artifacts.map(\.path)).count == outcome.artifacts.count else { throw refuse("it names a path twice") }
    guard outcome.blobs.allSatisfy({ $0.size >= 0 }) else { throw refuse("a size below zero") }
    for artifact in outcome.artifacts {
      let prefix = artifact.path.text.split(separator: "/").first.map(String.init) ?? ""
      switch artifact.role {
      case .feed: guard prefix == "ipk" else { throw refuse("feed file outside ipk/: \(artifact.path)") }
      case .diskImage: guard prefix == "images" else { throw refuse("disk image outside images/: \(artifact.path)") }
      case .file: guard prefix != "ipk", prefix != "images" else { throw refuse("\(artifact.path) is no file of deploy-jenkins") }
      }
    }
    if let system = spec.system, system.deployArtifact != "docker-image", !system.archive {
      guard outcome.artifacts.contains(where: { $0.role == .diskImage && $0.path.text == "images/" + system.deployArtifact }) else {
        throw refuse("the target image \(system.deployArtifact) is missing")
      }
    }
  }

  /// Makes images and archives (or finds them made) and writes the device type's directory.
  func deliver(_ task: PlannedTask, _ parts: Parts) async throws -> Delivered {
    let system = parts.system
    guard system != nil || task.system == nil else { throw FarmError.farm("hostapp and image of \(task.slug) are missing") }
    let (fetched, fetchSteps) = try await fetch(task)
    let made = parts.blocks?.blocks ?? []
    // A block that was released meanwhile must not change the image: it has its place, and its name, from the plan.
    let blocks = task.blocks.compactMap { spec in (made + fetched).first { $0.name == spec.name } }
    let reusable = ReusableParts(environment: environment)
    let (blobs, scratch) = (environment.blobs, environment.scratch)
    let start = Timestamp.now
    var steps = fetchSteps
    var delivered: DeliveredPart?
    let key = try Delivery.key(task, system: system, blocks: blocks)
    if let key, let found = try await reusable.find(key, DeliveredPart.self), reusable.has((found.images + found.archives).map(\.blob)) {
      delivered = found
      steps.append(StepResult(name: .preload, outcome: .reused, seconds: 0))
    }
    if delivered == nil {
      report(.stepStarted(task.slug, .preload))
      let part = try await BlockingWork.run {
        for block in made {
          if let spec = task.builtBlocks.first(where: { $0.name == block.name }) { _ = try BlockVerification.verify(block, against: spec, in: blobs) }
        }
        return try Delivery(blobs: blobs, scratch: scratch).make(task, system: system, blocks: blocks, fetched: Set(fetched.map(\.name)))
      }
      if let key { try await reusable.record(part, key: key, slug: task.slug, seconds: 0) }
      delivered = part
      steps.append(step(.preload, since: start, task.slug))
    }
    guard let delivered else { throw FarmError.farm("nothing was delivered for \(task.slug)") }
    let tree = tree
    let replaced = Set(delivered.archives.map(\.path))
    let artifacts = (system?.artifacts ?? []).filter { $0.role == .file && !replaced.contains($0.path) } + (parts.blocks?.artifacts ?? [])
    let files = try await BlockingWork.run { () -> DeviceTypeReport.Delivered in
      var result = DeviceTypeReport.Delivered(artifacts: [], images: [])
      func place(_ path: String, _ blob: BlobDescriptor, into list: inout [DeviceTypeReport.File]) throws {
        guard let path = RelativePath(path) else { throw FarmError.farm("'\(path)' leaves the deploy tree") }
        try tree.place(blob.digest, from: blobs, at: path, of: task.slug)
        list.append(.init(path: path, digest: blob.digest, size: blob.size))
      }
      for artifact in artifacts {
        try place("deploy-jenkins/" + artifact.path.text, .init(digest: artifact.digest, size: artifact.size), into: &result.artifacts)
      }
      for archive in delivered.archives { try place("deploy-jenkins/" + archive.path.text, archive.blob, into: &result.artifacts) }
      for image in delivered.images { try place(image.path.text, image.blob, into: &result.images) }
      return result
    }
    return Delivered(part: delivered, blocks: blocks, steps: steps, files: files)
  }

  /// Publishes what was delivered, if anything is to be published; notes releases and the step in it.
  func publish(_ task: PlannedTask, _ delivered: inout Delivered, system: SystemPart?) async throws {
    guard let deployment else { return }
    let start = Timestamp.now
    report(.stepStarted(task.slug, .publish))
    let (slug, report) = (task.slug, report)
    delivered.releases = try await deployment.publish(task, delivered, system: system) { report(.taskNotice(slug, $0)) }
    delivered.steps.append(step(.publish, since: start, task.slug))
  }

  /// Images of registries, as blobs.
  private func fetch(_ task: PlannedTask) async throws -> ([BlockResult], [StepResult]) {
    guard !task.fetchedBlocks.isEmpty else { return ([], []) }
    let start = Timestamp.now
    report(.stepStarted(task.slug, .fetch))
    let source = FetchedBlocks(blobs: environment.blobs, registries: registries)
    var fetched: [BlockResult] = []
    for block in task.fetchedBlocks { fetched.append(try await source.fetch(block)) }
    return (fetched, [step(.fetch, since: start, task.slug)])
  }

  private func step(_ name: Step, since start: Timestamp, _ slug: Slug) -> StepResult {
    let result = StepResult(name: name, outcome: .done, seconds: Timestamp.now.seconds(since: start))
    report(.stepEnded(slug, result))
    return result
  }
}

extension DeviceTypeReport {
  /// Files that were laid out for a device type.
  struct Delivered: Sendable {
    var artifacts: [File]
    var images: [File]
  }
}
