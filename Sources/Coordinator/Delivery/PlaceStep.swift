import BlobStore
import BuildModel
import Reports

/// The files that were laid out for a device type, as index.json lists them.
package struct PlacedFiles: Sendable {
  package var artifacts: [DeviceTypeReport.File] = []
  package var images: [DeviceTypeReport.File] = []
}

/// Lays a device type's files out in the deploy tree. Synchronous.
struct PlaceStep: Sendable {
  let blobs: BlobStore
  let tree: DeployTree

  /// `built` are the build's own files below `deploy-jenkins/`; what the coordinator made stands in their place.
  func run(_ built: [Artifact], _ made: MadeFiles, of slug: Slug) throws -> PlacedFiles {
    var placed = PlacedFiles()
    let replaced = Set(made.archives.map(\.path))
    for artifact in built where !replaced.contains(artifact.path) { placed.artifacts.append(try placeBuilt(artifact.path, artifact.blob, of: slug)) }
    for archive in made.archives { placed.artifacts.append(try placeBuilt(archive.path, archive.blob, of: slug)) }
    for image in made.images { placed.images.append(try place(image.path, image.blob, of: slug)) }
    return placed
  }

  private func placeBuilt(_ path: RelativePath, _ blob: BlobDescriptor, of slug: Slug) throws -> DeviceTypeReport.File {
    guard let place = BuildFilePath.placed(path) else { throw DeliveryError.outsideTree(path.text) }
    return try self.place(place, blob, of: slug)
  }

  private func place(_ path: RelativePath, _ blob: BlobDescriptor, of slug: Slug) throws -> DeviceTypeReport.File {
    try tree.place(blob.digest, from: blobs, at: path, of: slug)
    return .init(path: path, digest: blob.digest, size: blob.size)
  }
}
