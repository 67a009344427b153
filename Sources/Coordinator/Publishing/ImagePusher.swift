import BlobStore
import BoundedConcurrency
import BuildModel
import CanonicalJSON
import HTTP
import OCIImage
import Registry

/// Puts images where the API says, and reads back that they are there.
struct ImagePusher: Sendable {
  let access: RegistryAccess
  let blobs: BlobStore
  let journal: any PublishJournal

  /// Pushes config, layers and the very manifest whose digest was verified; gives the size of the layers uncompressed.
  ///
  /// Blobs that an earlier publication pushed into another repository of the registry are mounted from there. `location` is `<registry>/<repository>`.
  func push(_ image: PublishableImage, to location: String) async throws -> Int64 {
    let reference = try ImageReference(location)
    let client = try await access.client(for: reference.registry)
    let blobs = blobs
    let bytes = try await BlockingWork.run { try blobs.read(image.manifest.digest, limit: 4 << 20) }
    let manifest = try LocalManifest(bytes, mediaType: MediaType.dockerManifest)
    guard manifest.blob == image.manifest else {
      throw PublishingError.unexpected(what: "the manifest in the store", found: "\(manifest.blob.digest)", expected: "\(image.manifest.digest)")
    }
    try Self.check(bytes, image)
    let places = try await journal.repositories(of: reference.registry.text, holding: image.blobs.map(\.digest))
    let sources = Set(places.values).subtracting([reference.repository.text]).sorted()
    _ = try await client.push(
      LocalImage(manifest: manifest, blobs: image.blobs.map { LocalBlob($0, file: blobs.path($0.digest)) }), to: reference.repository,
      as: .tag(.latest), sources: sources.compactMap { try? RepositoryName($0) })
    guard let there = try await client.manifestDigest(.digest(image.manifest.digest), in: reference.repository), there == image.manifest.digest else {
      throw PublishingError.unexpected(what: "the manifest in \(location)", found: "not there", expected: "\(image.manifest.digest)")
    }
    try await journal.notePushed(image.blobs.map(\.digest), registry: reference.registry.text, repository: reference.repository.text)
    return try await BlockingWork.run { try Self.uncompressedSize(of: image, in: blobs) }
  }

  /// A manifest that names other blobs than the publication would make a release that nobody can pull.
  private static func check(_ bytes: [UInt8], _ image: PublishableImage) throws {
    let manifest: ImageManifest
    do {
      manifest = try CanonicalJSON.decode(ImageManifest.self, from: bytes)
    } catch {
      throw PublishingError.invalid(what: "manifest \(image.manifest.digest)", reason: "it is no image manifest: \(error)")
    }
    guard manifest.mediaType == MediaType.dockerManifest else {
      throw PublishingError.invalid(what: "manifest \(image.manifest.digest)", reason: "devices need Docker v2, it is \(manifest.mediaType)")
    }
    let named = ([manifest.config] + manifest.layers).map(\.blob)
    guard named == image.blobs else {
      throw PublishingError.invalid(what: "manifest \(image.manifest.digest)", reason: "it names other blobs than the image has")
    }
  }

  /// The bytes of the layers' tars together, as `image_size` counts them. Reads the layers through, whose digests are found right by that.
  private static func uncompressedSize(of image: PublishableImage, in blobs: BlobStore) throws -> Int64 {
    func wrong(_ reason: String) -> PublishingError { .invalid(what: "config \(image.config.digest)", reason: reason) }
    let config: StoredImage.Config
    let bytes = try blobs.read(image.config.digest)
    do { config = try StoredImage.Config(bytes) } catch { throw wrong(error.reason) }
    guard config.diffIDs.count == image.layers.count else {
      throw wrong("it has \(Counted(config.diffIDs.count, "layer")), its manifest \(image.layers.count)")
    }
    var total: Int64 = 0
    for (blob, diffID) in zip(image.layers, config.diffIDs) {
      let layer = try LayerReader(StoredImage.Layer(blob, at: blobs.path(blob.digest), diffID: diffID))
      while try layer.next() != nil {}
      total += layer.count
    }
    return total
  }
}
