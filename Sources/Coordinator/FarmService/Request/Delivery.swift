import BlobStore
import Blocks
import BuildModel
import CanonicalJSON
import FoundationEssentials
import Glibc
import OCIImage
import Planning
import Preload
import Reports

import struct Crypto.SHA256

/// What is made on the coordinator from a device type's parts: preloaded images and block archives, as blobs.
struct DeliveredPart: Codable, Sendable {
  struct File: Codable, Sendable {
    var path: RelativePath
    var blob: BlobDescriptor
  }
  /// Below `images/`.
  var images: [File]
  /// Below `deploy-jenkins/`: the blocks, and images with the blocks in place of those that the build left there.
  var archives: [File]
  /// Seconds the preload took.
  var preloadSeconds: Double
  var notices: [String]
}

/// Turns verified parts into what people take away. Synchronous.
struct Delivery {
  let blobs: BlobStore
  let scratch: String

  /// The step key: the same blocks in the same image by the same writer give the same bytes.
  static func key(_ task: PlannedTask, system: SystemPart?, blocks: [BlockResult]) throws -> Digest? {
    struct Inputs: Encodable {
      var slug: Slug
      var images: [Artifact]
      var blocks: [BlockResult]
      var version: String
      var epoch: Int64
    }
    let inputs = Inputs(
      slug: task.slug, images: (system?.artifacts ?? []).filter { $0.role == .diskImage }, blocks: blocks, version: task.osVersion,
      epoch: task.sourceDateEpoch)
    return Digest(bytes: SHA256.hash(data: Array("delivery 4\n".utf8) + (try CanonicalJSON.encode(inputs))))
  }

  /// Blocks get archives, locks and bills of materials of their own; `fetched` ones have been published and are only preloaded.
  func make(_ task: PlannedTask, system: SystemPart?, blocks: [BlockResult], fetched: Set<BlockName>) throws -> DeliveredPart {
    var part = DeliveredPart(images: [], archives: [], preloadSeconds: 0, notices: [])
    for block in blocks where !fetched.contains(block.name) {
      part.archives.append(try archive(block, of: task))
      guard !block.packages.isEmpty else { continue }
      part.archives.append(try document(BlockLock(block, epoch: task.sourceDateEpoch).bytes(), of: block, "lock.json", task))
      part.archives.append(try document(BillOfMaterials(block, epoch: task.sourceDateEpoch).bytes(), of: block, "spdx.json", task))
    }
    let images = (system?.artifacts ?? []).filter { $0.role == .diskImage }
    let start = Timestamp.now
    for image in images.sorted(by: { !isTarget($0, task) && isTarget($1, task) }) {
      if isTarget(image, task), !blocks.isEmpty {
        part.images += try preload(image, task: task, blocks: blocks)
      } else {
        part.images.append(.init(path: image.path, blob: BlobDescriptor(digest: image.digest, size: image.size)))
      }
    }
    // A flasher's own raw image gives way to the same image with the blocks in it.
    var paths: Set<RelativePath> = []
    part.images = part.images.reversed().filter { paths.insert($0.path).inserted }.reversed()
    part.archives += try imageFiles(part.images, insteadOf: images, of: task)
    part.preloadSeconds = blocks.isEmpty ? 0 : Timestamp.now.seconds(since: start)
    return part
  }

  /// The files below `deploy-jenkins/image/` whose image is not the one that the build made.
  private func imageFiles(_ made: [DeliveredPart.File], insteadOf built: [Artifact], of task: PlannedTask) throws -> [DeliveredPart.File] {
    guard let system = task.system, !system.archive else { return [] }
    let named = [
      (system.deployArtifact, "balena.img"), (system.deployFlasherArtifact, "balena-flasher.img"), (system.deployRawArtifact, "balena-raw.img"),
    ]
    return try named.compactMap { artifact, name in
      guard let artifact, let image = made.last(where: { $0.path.text == "images/" + artifact }),
        built.first(where: { $0.path == image.path })?.digest != image.blob.digest,
        let path = RelativePath("image/\(name)" + (system.compressed ? ".zip" : ""))
      else { return nil }
      guard system.compressed else { return .init(path: path, blob: image.blob) }
      return .init(path: path, blob: try ZippedImage.write(blobs.path(image.blob.digest), name: name, epoch: task.sourceDateEpoch, to: blobs))
    }
  }

  private func isTarget(_ image: Artifact, _ task: PlannedTask) -> Bool {
    image.path.text == "images/" + task.deviceType.yocto.deployArtifact
  }

  /// Writes the blocks into the image's data partition; of a flasher the inner image is taken out and delivered beside the untouched flasher.
  private func preload(_ image: Artifact, task: PlannedTask, blocks: [BlockResult]) throws -> [DeliveredPart.File] {
    let work = "\(scratch)/preload-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: work, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: work) }
    let output = work + "/image"
    let inner = task.deviceType.isFlasher ? Self.rawName(image.path.lastComponent) : nil
    do {
      _ = try Preloader.preload(
        image: blobs.path(image.digest),
        images: blocks.map { block in
          PreloadImage(
            names: [block.reference], manifestDigest: block.dockerManifest.digest, config: blobs.path(block.config.digest),
            layers: block.layers.map { .init(path: blobs.path($0.blob.digest), digest: $0.blob.digest, diffID: $0.diffID) })
        }, into: output, scratch: work, flasherInner: inner, time: task.sourceDateEpoch)
    } catch {
      // People know the image by its name, not by its place in the store.
      let reason = "\(error)".replacing(blobs.path(image.digest), with: image.path.lastComponent)
      if case .system(_, _, let code) = error, code == ENOSPC { throw Failure(kind: .coordinator, step: .preload, reason: reason) }
      throw Failure(kind: .build, step: .preload, reason: reason)
    }
    let made = try blobs.adopt(file: output)
    let untouched = DeliveredPart.File(path: image.path, blob: BlobDescriptor(digest: image.digest, size: image.size))
    guard let inner else { return [.init(path: image.path, blob: made)] }
    let directory = image.path.text.split(separator: "/").dropLast().joined(separator: "/")
    guard let path = RelativePath(directory.isEmpty ? inner : directory + "/" + inner) else { return [untouched] }
    return [untouched, .init(path: path, blob: made)]
  }

  /// `balena-image-flasher-x.balenaos-img` → `balena-image-x.balenaos-img`.
  static func rawName(_ flasher: String) -> String {
    guard let range = flasher.firstRange(of: "flasher-") else { return flasher }
    return String(flasher[..<range.lowerBound] + flasher[range.upperBound...])
  }

  private func document(_ bytes: [UInt8], of block: BlockResult, _ suffix: String, _ task: PlannedTask) throws -> DeliveredPart.File {
    let name = "\(task.slug)-\(block.name)-\(task.osVersion).\(suffix)"
    guard let path = RelativePath(name) else { throw FarmError.farm("'\(name)' cannot be a file name") }
    return .init(path: path, blob: try blobs.put(bytes))
  }

  private func archive(_ block: BlockResult, of task: PlannedTask) throws -> DeliveredPart.File {
    let name = "\(task.slug)-\(block.name)-\(task.osVersion).docker"
    guard let path = RelativePath(name) else { throw FarmError.farm("'\(name)' cannot be a file name") }
    let temporary = "\(scratch)/archive-\(UUID().uuidString)"
    defer { unlink(temporary) }
    try DockerArchive.write(block, from: blobs, epoch: task.sourceDateEpoch, to: temporary)
    return .init(path: path, blob: try blobs.adopt(file: temporary))
  }
}
