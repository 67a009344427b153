import BlobStore
import BuildModel
import CanonicalJSON
import FoundationEssentials
import OCIImage

/// Makes a block of an image that some other builder left: its layers' tars as they are (the diff ids stay), compressed in blockfarm's way, with
/// blockfarm's own configuration and both manifests. Nothing of the image is believed: bounds and digests are checked.
package struct ImageImport: Sendable {
  package let block: BlockSpec
  package let store: BlobStore
  /// When the image is said to be created, in seconds since 1970.
  package let epoch: Int64
  /// Labels that the builder put in for itself.
  private let builderLabels: Set<String>

  /// Bytes that the unpacked layers of a block may have together.
  private static let bytesLimit: Int64 = 16 << 30

  /// The block's reference, platform and labels come from its spec; the image's own labels stay where the spec has no such label.
  package init(block: BlockSpec, store: BlobStore, epoch: Int64, builderLabels: Set<String> = []) {
    self.block = block
    self.store = store
    self.epoch = epoch
    self.builderLabels = builderLabels
  }

  /// Takes in the only image of a docker-archive.
  package func archive(_ path: String) throws(BlocksError) -> BlockResult {
    try named {
      let (image, notes) = try only(DockerArchiveReader.images(in: path), of: path)
      return try take(image, notes: notes)
    }
  }

  /// Attestations and the like do not count, and of an image for several platforms the block's is taken.
  private func only(_ images: StoredImages, of path: String) throws -> (StoredImage, notes: [String]) {
    var images = images
    let groups = images.groups
    guard groups.count == 1, let group = groups.first else {
      let names = groups.prefix(10).map { $0[0].label }
      throw refusal("'\(path)' holds \(Counted(groups.count, "image")) instead of one\(names.isEmpty ? "" : ": \(names.joined(separator: ", "))")")
    }
    // What docker import writes is the building host's platform: where there is one image, it is the one that is meant.
    let isForSeveral = Set(group.compactMap(\.platform)).count > 1
    let image = try images.select(among: group, platform: isForSeveral ? block.platform : nil)
    return (image, images.notes)
  }

  private func take(_ image: StoredImage, notes: [String]) throws -> BlockResult {
    guard !image.layers.isEmpty else { throw refusal("it has no layer") }
    let foreign: ForeignConfig
    do {
      foreign = try CanonicalJSON.decode(ForeignConfig.self, from: image.configBytes)
    } catch {
      throw refusal("its configuration cannot be read: \(error)")
    }
    var taken: [Digest: BlockResult.Layer] = [:]
    var left = Self.bytesLimit
    for layer in image.layers where taken[layer.diffID] == nil {
      let (made, tarSize) = try layer.compress(into: store, limit: left)
      left -= tarSize
      guard made.blob.size > 0 else { throw refusal("layer \(layer.diffID) is empty") }
      taken[layer.diffID] = made
    }
    return try finish(image.layers.compactMap { taken[$0.diffID] }, foreign.config, image.config, notes: notes)
  }

  private func finish(
    _ layers: [BlockResult.Layer], _ foreign: ForeignConfig.Container?, _ image: StoredImage.Config, notes: [String]
  ) throws -> BlockResult {
    let own = image.labels.filter { !builderLabels.contains($0.key) }
    var config = ImageConfig(
      platform: block.platform, labels: own.merging(block.labels) { _, specified in specified }, diffIDs: layers.map(\.diffID), created: epoch,
      createdBy: "blockfarm block \(block.name)")
    func kept(_ list: [String]?) -> [String]? { list?.isEmpty == false ? list : nil }
    func kept(_ text: String?) -> String? { text?.isEmpty == false ? text : nil }
    config.config.Env = kept(foreign?.Env)
    config.config.Entrypoint = kept(foreign?.Entrypoint)
    config.config.Cmd = kept(foreign?.Cmd)
    config.config.WorkingDir = kept(foreign?.WorkingDir)
    config.config.User = kept(foreign?.User)
    if let volumes = foreign?.Volumes, !volumes.isEmpty { config.config.Volumes = volumes }
    let configBlob = try store.put(config.bytes())
    let blobs = layers.map(\.blob)
    var notices = notes
    if let platform = image.platform, !platform.matches(block.platform) {
      // What docker import writes is the building host's; so nobody can rely on it.
      notices.append("the image calls itself \(platform); it is taken as \(block.platform), the device type's platform")
    }
    return BlockResult(
      name: block.name, reference: block.reference, platform: block.platform,
      manifest: try store.put(ImageManifest(.oci, config: configBlob, gzipLayers: blobs).bytes()),
      dockerManifest: try store.put(ImageManifest(.docker, config: configBlob, gzipLayers: blobs).bytes()), config: configBlob, layers: layers,
      packages: [], notices: notices)
  }

  private func refusal(_ reason: String) -> BlocksError { .dockerfile(block: block.name, "the image is refused: \(reason)") }

  /// Turns the errors of the rooms below into this room's.
  private func named(_ work: () throws -> BlockResult) throws(BlocksError) -> BlockResult {
    do {
      return try work()
    } catch let error as BlocksError {
      throw error
    } catch let error as OCIImageError {
      throw .image(error)
    } catch let error as BlobStoreError {
      throw .store(error)
    } catch {
      throw refusal("\(error)")
    }
  }

  /// What a block keeps of a configuration besides its labels (OCI image-spec config.md; Docker's has the same fields, some of them null).
  private struct ForeignConfig: Decodable {
    struct Container: Decodable {
      var Env: [String]?
      var Entrypoint: [String]?
      var Cmd: [String]?
      var Volumes: [String: ImageConfig.Empty]?
      var WorkingDir: String?
      var User: String?
    }
    var config: Container?
  }
}
