import BlobStore
import BoundedConcurrency
import BuildModel
import Executors
import Planning
import Reports
import Store

/// What becomes of one device type: its outcome is collected and verified; when its parts are there they are fetched, preloaded, laid out and published.
package struct DeliveryPipeline: Sendable {
  /// Publishes one device type and gives its releases; what it says on the way is for people.
  package typealias Publishing =
    @Sendable (PlannedTask, DeliveredDeviceType, SystemPart?, @escaping @Sendable (String) -> Void) async throws -> [DeviceTypeReport.Release]

  let context: DeliveryContext
  let tree: DeployTree
  let registries: RegistryClients
  /// Publishes what was laid out; nil when nothing is to be published.
  let publishing: Publishing?
  let report: @Sendable (DeliveryEvent) -> Void

  package init(
    context: DeliveryContext, tree: DeployTree, registries: RegistryClients, publishing: Publishing?,
    report: @escaping @Sendable (DeliveryEvent) -> Void
  ) {
    self.context = context
    self.tree = tree
    self.registries = registries
    self.publishing = publishing
    self.report = report
  }

  private var blobs: BlobStore { context.blobs }
  private var parts: PartStore { PartStore(context) }
  private func progress(_ task: PlannedTask) -> StepProgress { StepProgress(slug: task.slug, report: report) }

  /// Fetches an outcome's blobs, checks everything and records the parts for later use.
  package func collect(
    _ outcome: Outcome, of task: PlannedTask, spec: TaskSpec, host: HostName, client: WorkerClient
  ) async throws -> [StepResult] {
    let (_, collected) = try await progress(task).step(.collect) {
      try await CollectStep(blobs: blobs).run(outcome, spec: spec, client: client)
    }
    let (_, verified) = try await progress(task).step(.verify) { try await VerifyStep(blobs: blobs).run(outcome.blocks, against: spec.blocks) }
    try await parts.record(outcome, of: task, spec: spec, host: host)
    return [collected, verified]
  }

  /// Makes images and archives (or finds them made) and writes the device type's directory.
  package func deliver(_ task: PlannedTask, _ parts: DeviceTypeParts) async throws -> DeliveredDeviceType {
    guard parts.system != nil || task.system == nil else { throw DeliveryError.missingParts(task.slug) }
    var steps: [StepResult] = []
    var fetched: [BlockResult] = []
    if !task.fetchedBlocks.isEmpty {
      let (found, step) = try await progress(task).step(.fetch) {
        try await FetchStep(blobs: blobs, registries: registries).run(task.fetchedBlocks)
      }
      fetched = found
      steps.append(step)
    }
    let built = parts.blocks?.blocks ?? []
    // A block that was released meanwhile must not change the image: it has its place, and its name, from the plan.
    let blocks = task.blocks.compactMap { spec in (built + fetched).first { $0.name == spec.name } }
    let (made, step) = try await make(task, system: parts.system, built: built, all: blocks)
    steps.append(step)
    let artifacts = (parts.system?.artifacts ?? []).filter { $0.role == .file } + (parts.blocks?.artifacts ?? [])
    let place = PlaceStep(blobs: blobs, tree: tree)
    let files = try await BlockingWork.run { try place.run(artifacts, made, of: task.slug) }
    return DeliveredDeviceType(blocks: blocks, steps: steps, files: files, notices: made.notices)
  }

  /// What was made from the same blocks and images before is taken as it is. Blocks that are fetched have been published: they get no archives.
  private func make(
    _ task: PlannedTask, system: SystemPart?, built: [BlockResult], all blocks: [BlockResult]
  ) async throws -> (MadeFiles, StepResult) {
    let key = try MadeFiles.key(task, system: system, blocks: blocks)
    if let key, let found = try await parts.find(key, MadeFiles.self), parts.has(found.blobs) {
      return (found, StepResult(name: .preload, outcome: .reused, seconds: 0))
    }
    let (blobs, scratch) = (blobs, context.scratch)
    let images = system?.diskImages ?? []
    let (made, step) = try await progress(task).step(.preload) {
      try await VerifyStep(blobs: blobs).run(built, against: task.builtBlocks)
      return try await BlockingWork.run {
        let archives = try ArchiveStep(blobs: blobs, scratch: scratch).run(
          blocks.filter { block in built.contains { $0.name == block.name } }, of: task)
        let preloaded = try PreloadStep(blobs: blobs, scratch: scratch).run(task, images: images, blocks: blocks)
        let files = try ImageFileStep(blobs: blobs).run(preloaded, insteadOf: images, of: task)
        return MadeFiles(images: preloaded, archives: archives + files, notices: [])
      }
    }
    if let key { try await parts.record(made, key: key, slug: task.slug, seconds: 0) }
    return (made, step)
  }

  /// Publishes what was delivered, if anything is to be published; notes releases and the step in it.
  package func publish(_ task: PlannedTask, _ delivered: inout DeliveredDeviceType, system: SystemPart?) async throws {
    guard let publishing else { return }
    let (slug, report, files) = (task.slug, report, delivered)
    let (releases, step) = try await progress(task).step(.publish) {
      try await publishing(task, files, system) { report(.notice(slug, $0)) }
    }
    delivered.releases = releases
    delivered.steps.append(step)
  }
}
