import BlobStore
import BuildModel
import FoundationEssentials
import Glibc
import OCIImage
import Planning
import Preload

/// Writes a device type's blocks into its target image. Synchronous.
struct PreloadStep: Sendable {
  let blobs: BlobStore
  let scratch: String

  /// The images as people get them: the target image with the blocks in it, all others as they were built.
  func run(_ task: PlannedTask, images: [Artifact], blocks: [BlockResult]) throws -> [MadeFiles.File] {
    var made: [MadeFiles.File] = []
    for image in images.sorted(by: { !isTarget($0, task) && isTarget($1, task) }) {
      if isTarget(image, task), !blocks.isEmpty {
        made += try preload(image, task: task, blocks: blocks)
      } else {
        made.append(.init(path: image.path, blob: image.blob))
      }
    }
    // A flasher's own raw image gives way to the same image with the blocks in it.
    var paths: Set<RelativePath> = []
    return made.reversed().filter { paths.insert($0.path).inserted }.reversed()
  }

  private func isTarget(_ image: Artifact, _ task: PlannedTask) -> Bool {
    image.path.text == "images/" + task.deviceType.yocto.deployArtifact
  }

  /// Writes the blocks into the image's data partition; of a flasher the inner image is taken out and delivered beside the untouched flasher.
  private func preload(_ image: Artifact, task: PlannedTask, blocks: [BlockResult]) throws -> [MadeFiles.File] {
    let work = "\(scratch)/preload-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: work, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: work) }
    let output = work + "/image"
    let inner = task.deviceType.isFlasher ? Self.rawName(image.path.lastComponent) : nil
    let images = try blocks.map { block in
      PreloadImage(
        names: [block.reference], manifestDigest: block.dockerManifest.digest, config: try blobs.read(block.config.digest),
        layers: block.layers.map { StoredImage.Layer($0.blob, at: blobs.path($0.blob.digest), diffID: $0.diffID) })
    }
    do {
      _ = try Preloader.preload(
        image: blobs.path(image.digest), images: images, into: output, scratch: work, flasherInner: inner, time: task.sourceDateEpoch)
    } catch {
      // People know the image by its name, not by its place in the store.
      let reason = "\(error)".replacing(blobs.path(image.digest), with: image.path.lastComponent)
      let cause = Failure(cause: error)
      throw Failure(kind: cause.kind, step: .preload, reason: reason, blame: cause.blame)
    }
    let made = try blobs.adopt(file: output)
    let untouched = MadeFiles.File(path: image.path, blob: image.blob)
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
}
