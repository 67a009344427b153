import BlobStore
import Blocks
import BuildModel
import Delivery
import FoundationEssentials
import Planning
import Preload
import Publishing
import Reports

/// What a hostapp's release consists of, made from a device type's artifacts. Synchronous.
struct HostappFiles: Sendable {
  let blobs: BlobStore
  let scratch: String

  /// The hostapp's archive as gzip layers with a Docker manifest, in the store.
  func image(_ task: PlannedTask, _ system: SystemPart) throws -> PublishableImage {
    guard let archive = system.artifacts.first(where: { $0.role == .file && $0.path.text == "balena-image.docker" }) else {
      throw Failure(
        kind: .rejected, step: .publish, reason: "the build of \(task.slug) left no balena-image.docker to publish", blame: .repository)
    }
    let service = task.composition?.hostapp
    let labels = service?.labels.filter { $0.value != Composition.Placeholder.revision } ?? [:]
    let spec = BlockSpec(
      name: try service?.name ?? BlockName("hostapp"), origin: .recipe(try RecipeName("balena-image"), arguments: [], assets: []), packages: [],
      recipes: [], labels: labels, platform: task.deviceType.arch.platform, reference: "local/\(task.slug):hostapp")
    let made = try ImageImport(block: spec, store: blobs, epoch: task.sourceDateEpoch).archive(blobs.path(archive.digest))
    return PublishableImage(made, labels: labels)
  }

  /// The release's files: what ``AssetRules`` wants, the images in parts, and what people look for beside them.
  func assets(_ task: PlannedTask, system: SystemPart, delivered: DeliveredDeviceType) throws -> [Publication.Asset] {
    let others = delivered.files.artifacts.compactMap { file -> Publication.Asset? in
      guard let path = BuildFilePath.own(file.path), path.text.hasPrefix("service/") else { return nil }
      return Publication.Asset(key: path, blob: file.blob)
    }
    let own = system.artifacts.filter { $0.role == .file && Self.isWanted($0.path.text) }.map {
      Publication.Asset(key: $0.path, blob: $0.blob)
    }
    return try own + others + images(task, delivered)
  }

  /// balena's release workflow attaches these (balena-cloud-api.md section 10).
  private static func isWanted(_ path: String) -> Bool {
    let names: Set = [
      "VERSION", "VERSION_HOSTOS", "device-type.json", "CHANGELOG.md", "licenses.tar.gz", "kernel_modules_headers.tar.gz", "kernel_source.tar.gz",
      "secure-boot-lock.tar.gz",
    ]
    return names.contains(path) || (path.hasSuffix(".manifest") && !path.contains("/")) || path.hasPrefix("cyclonedx")
  }

  /// The delivered images, blocks in them, each cut into its partitions and gaps.
  private func images(_ task: PlannedTask, _ delivered: DeliveredDeviceType) throws -> [Publication.Asset] {
    guard let system = task.system, !system.archive, system.deployArtifact != "docker-image" else { return [] }
    let named: [(String?, SplitImage.Kind)] = [
      (system.deployArtifact, .image), (system.deployFlasherArtifact, .flasher), (system.deployRawArtifact, .raw),
    ]
    var assets: [Publication.Asset] = []
    for case (let artifact?, let kind) in named {
      guard let image = delivered.files.images.first(where: { $0.path.text == "images/" + artifact }) else { continue }
      let work = "\(scratch)/split-\(UUID().uuidString)"
      try FileManager.default.createDirectory(atPath: work, withIntermediateDirectories: true)
      defer { try? FileManager.default.removeItem(atPath: work) }
      let files = try SplitImage.write(image: blobs.path(image.digest), kind: kind, into: work)
      // What devices are flashed with is proved to be the image, not assumed.
      try SplitImage.verify(image: blobs.path(image.digest), kind: kind, in: work)
      for file in files {
        guard let key = RelativePath(file) else {
          throw Failure(kind: .rejected, step: .publish, reason: "'\(file)' cannot be an asset's key", blame: .repository)
        }
        assets.append(.init(key: key, blob: try blobs.adopt(file: "\(work)/\(file)")))
      }
    }
    return assets
  }
}
