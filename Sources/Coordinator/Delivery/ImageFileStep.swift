import BlobStore
import BuildModel
import Planning

/// The files below `deploy-jenkins/image/` whose image is not the one that the build made: zipped where the build zips its own. Synchronous.
struct ImageFileStep: Sendable {
  let blobs: BlobStore

  func run(_ made: [MadeFiles.File], insteadOf built: [Artifact], of task: PlannedTask) throws -> [MadeFiles.File] {
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
}
