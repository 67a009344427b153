import BlobStore
import BoundedConcurrency
import BuildModel
import CanonicalJSON
import FoundationEssentials
import HTTP
import OCIImage
import Registry

/// Blocks that are images of a registry: fetched with everything they name, and kept as they were published, because devices know them by
/// the digest of their manifest.
struct FetchStep: Sendable {
  let blobs: BlobStore
  let registries: RegistryClients

  /// Bytes that one image's blobs may have together.
  private static let bytesLimit: Int64 = 16 << 30

  func run(_ blocks: [BlockSpec]) async throws -> [BlockResult] {
    var fetched: [BlockResult] = []
    for block in blocks { fetched.append(try await fetch(block)) }
    return fetched
  }

  /// Fetches what the store does not have yet. A tag is asked for each time, since it may have moved.
  private func fetch(_ block: BlockSpec) async throws -> BlockResult {
    guard case .registry(let text) = block.origin else { throw DeliveryError.notFetched(block.name) }
    do {
      let reference = try ImageReference(familiar: text)
      let client = try await registries.client(for: reference.registry)
      let image = try await client.pull(
        reference.manifestName, in: reference.repository, platform: block.platform, into: blobs, limit: Self.bytesLimit)
      let blobs = blobs
      return try await BlockingWork.run { try Self.result(block, image, in: blobs) }
    } catch let error as any ExchangeFailure {
      // An image that the registry does not have is named wrongly.
      let blame: Blame = error.status == 404 ? .repository : error.blame
      var failure = Failure(cause: error)
      if blame != failure.blame { failure = Failure(kind: .rejected, step: nil, reason: failure.reason, blame: blame) }
      failure.step = .fetch
      failure.reason = "block \(block.name): \(failure.reason)"
      throw failure
    }
  }

  private static func result(_ block: BlockSpec, _ image: PulledImage, in blobs: BlobStore) throws -> BlockResult {
    func refusal(_ reason: String) -> Failure {
      Failure(
        kind: .rejected, step: .fetch, reason: "block \(block.name): image \(image.manifest.blob.digest) \(reason)", blame: .repository)
    }
    let readable = [MediaType.ociGzipLayer, MediaType.dockerGzipLayer]
    if let layer = image.layers.first(where: { !readable.contains($0.mediaType) }) {
      throw refusal("has a layer that devices cannot unpack: \(layer.mediaType.prefix(100)); publish it with gzip layers")
    }
    let config: StoredImage.Config
    let bytes = try blobs.read(image.config.digest)
    do { config = try StoredImage.Config(bytes) } catch { throw refusal("has a configuration that cannot be used: \(error.reason)") }
    guard config.diffIDs.count == image.layers.count, !image.layers.isEmpty else {
      throw refusal("has \(Counted(image.layers.count, "layer")), its configuration names \(config.diffIDs.count)")
    }
    let layers = zip(image.layers, config.diffIDs).map { layer, diffID in
      BlockResult.Layer(blob: layer.blob, diffID: diffID)
    }
    // One of the two is what was published; the other one names the same blobs: image layouts want OCI's, devices and their registries Docker's.
    let blobsOfLayers = layers.map(\.blob)
    let isDocker = image.manifest.mediaType == MediaType.dockerManifest
    let other = try blobs.put(ImageManifest(isDocker ? .oci : .docker, config: image.config, gzipLayers: blobsOfLayers).bytes())
    let (oci, docker) = isDocker ? (other, image.manifest.blob) : (image.manifest.blob, other)
    return BlockResult(
      name: block.name, reference: block.reference, platform: block.platform, manifest: oci, dockerManifest: docker, config: image.config,
      layers: layers, packages: [], notices: [])
  }
}
