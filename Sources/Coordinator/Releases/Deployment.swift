import Balena
import BlobStore
import Blocks
import BoundedConcurrency
import BuildModel
import CanonicalJSON
import Delivery
import FoundationEssentials
import Planning
import Publishing
import Reports

/// Publishes what a request made, device type by device type, with one session.
package struct Deployment: Sendable {
  let session: CloudSession
  let request: DeployRequest
  let released: ReleasedBlocks
  /// By the name of the repository.
  let repositoryURLs: [String: String]
  let context: DeliveryContext

  package init(
    session: CloudSession, request: DeployRequest, released: ReleasedBlocks, repositoryURLs: [String: String], context: DeliveryContext
  ) {
    self.session = session
    self.request = request
    self.released = released
    self.repositoryURLs = repositoryURLs
    self.context = context
  }

  /// What a delivery is given to publish with.
  package var publishing: DeliveryPipeline.Publishing { { try await publish($0, $1, system: $2, notice: $3) } }

  /// Publishes one device type and gives its releases; the failure says whether trying again may help.
  func publish(
    _ task: PlannedTask, _ delivered: DeliveredDeviceType, system: SystemPart?, notice: @escaping @Sendable (String) -> Void
  ) async throws -> [DeviceTypeReport.Release] {
    do {
      if let refusal = Self.refusal(of: task, request) { throw refusal }
      let publication = try await publication(task, delivered, system: system, version: task.osVersion)
      let journal = PublicationJournal(store: context.store)
      let publisher = Publisher(target: session.target, registry: session.registry, blobs: context.blobs, journal: journal) { event in
        notice("publish: \(event.text)")
      }
      let bucket = session.storage.map { StoragePublisher(store: $0, blobs: context.blobs) }
      var tree: StoragePublication?
      let published = try await publisher.publish(
        publication, .init(mode: request.mode == .final ? .final : .draft, allowConflict: request.allowConflict)
      ) {
        guard let bucket else { return }
        let made = try await self.tree(task, delivered, version: task.osVersion)
        tree = made
        let report = try await bucket.publish(made)
        notice("publish: \(report.directory): \(Counted(report.uploaded, "file")) uploaded, \(report.present) were there")
      }
      // Only what devices are given is the latest.
      if let bucket, var tree, request.mode == .final {
        tree.isFinal = true
        if case .moved(let old) = try await bucket.publish(tree).latest {
          notice("publish: the latest is \(task.osVersion) now\(old.map { ", it was \($0)" } ?? "")")
        }
      }
      return published.map(DeviceTypeReport.Release.init)
    } catch let failure as Failure {
      throw failure
    } catch is CancellationError {
      throw CancellationError()
    } catch let error as PublishingError {
      throw Failure(kind: error.blame == .cloud ? .cloud : .rejected, step: .publish, reason: "\(error)", blame: error.blame)
    } catch {
      var failure = Failure(cause: error)
      failure.step = .publish
      throw failure
    }
  }

  /// Why a device type cannot be published as wanted, as far as that is known before anything is built; nil where nothing speaks against it.
  package static func refusal(of task: PlannedTask, _ request: DeployRequest) -> Failure? {
    func refused(_ reason: String) -> Failure { Failure(kind: .rejected, step: .publish, reason: reason) }
    if let isESR = request.isESR, isESR != task.osVersion.isESR {
      return refused(
        isESR ? "extended support was asked for, but \(task.osVersion) is no such version" : "\(task.osVersion) is a version of extended support")
    }
    guard request.mode == .draft || task.isRelease else {
      let reasons = task.notices.filter { $0.hasPrefix("not a release") }
      return refused("\(task.osVersion) cannot become final: \(reasons.first ?? "not a release"); publish it as a draft")
    }
    return nil
  }

  private func publication(
    _ task: PlannedTask, _ delivered: DeliveredDeviceType, system: SystemPart?, version: OSVersion
  ) async throws -> Publication {
    var blocks: [Publication.Block] = []
    var others: [String: PublishableImage] = [:]
    for block in delivered.blocks {
      let spec = task.blocks.first { $0.name == block.name }
      let image = PublishableImage(block, labels: spec?.labels ?? [:])
      // An image that a composition takes from a registry is no application of ours.
      if let spec, spec.isFetched, !released.contains(block.name, of: task.slug) {
        others[block.name.text] = image
      } else {
        blocks.append(.init(name: block.name, image: image))
      }
    }
    var hostapp: Publication.Hostapp?
    if let system {
      let files = HostappFiles(blobs: context.blobs, scratch: context.scratch)
      let image = try await BlockingWork.run { try files.image(task, system) }
      let assets = try await BlockingWork.run { try files.assets(task, system: system, delivered: delivered) }
      hostapp = Publication.Hostapp(
        image: image, contract: try task.releaseContract.map(Self.json), boardRevision: task.source.root.commit.boardRevision, assets: assets,
        composition: try composition(of: task, with: delivered.blocks.map(\.name)), otherImages: others)
    }
    return Publication(
      deviceType: task.deviceType, version: version, isRelease: task.isRelease, baseVersion: task.baseVersion.flatMap { OSVersion($0) },
      repositoryURL: repositoryURLs[task.source.repository], blocks: blocks, hostapp: hostapp)
  }

  /// What the cloud is given of the merged composition; nil where there is none.
  private func composition(of task: PlannedTask, with blocks: [BlockName]) throws -> BalenaJSON? {
    guard let composition = task.composition else { return nil }
    return try Self.json(composition.document(with: blocks, revision: task.source.root.commit.boardRevision))
  }

  private static func json(_ value: CompositionValue) throws -> BalenaJSON {
    try CanonicalJSON.decode(BalenaJSON.self, from: CanonicalJSON.encode(value))
  }

  /// The deploy tree without its feed, not yet that of a final release.
  private func tree(_ task: PlannedTask, _ delivered: DeliveredDeviceType, version: OSVersion) async throws -> StoragePublication {
    let files = (delivered.files.artifacts + delivered.files.images).compactMap { file -> StoragePublication.File? in
      let path = BuildFilePath.own(file.path) ?? file.path
      return path.text.hasPrefix("ipk/") ? nil : .init(path: path, blob: file.blob)
    }
    let client = session.target.client
    var isPrivate: Bool?
    if let deviceType = try await client.deviceType(task.slug.text) { isPrivate = try await client.isPrivate(deviceType.id) }
    return StoragePublication(slug: task.slug, version: version, files: files, isPrivate: isPrivate, isFinal: false)
  }
}

extension DeviceTypeReport.Release {
  fileprivate init(_ published: Publisher.Published) {
    self.init(
      application: published.application, id: published.release, commit: published.commit, version: published.version,
      isFinal: published.isFinal,
      images: published.digests.sorted { $0.key < $1.key }.map { service, digest in
        Image(service: service, digest: digest, reference: published.images[service] ?? "")
      },
      assets: published.assets.map { $0.sorted { $0.key < $1.key }.map { Asset(key: $0.key, digest: $0.value.digest, size: $0.value.size) } })
  }
}

extension PublishEvent {
  /// One line for people.
  var text: String {
    switch self {
    case .application(let name): "application \(name)"
    case .draft(let name, let release): "\(name): draft \(release)"
    case .found(let name, let release): "\(name): release \(release) is there already"
    case .pushing(let name, let service): "\(name): pushing \(service)"
    case .attaching(let name, let asset): "\(name): attaching \(asset)"
    case .complete(let name, let release): "\(name): release \(release) is complete"
    case .final(let name, let release, let version, let called):
      "\(name): release \(release) is final as \(version)" + (called == version ? "" : " (the server calls it \(called))")
    case .notice(let text): text
    }
  }
}
