import BlobStore
import BuildModel
import Dispatch
import Feed
import FoundationEssentials
import OCIImage

/// Makes blocks from a feed: selection, one reproducible layer, config and both manifests, all as blobs.
///
/// The bytes depend on the packages, the block's spec, `epoch` and ``GzipChunks/identity`` alone: not on the host, its time, locale, umask or cores.
package struct BlockAssembler: Sendable {
  package let feed: PackageFeed
  package let store: BlobStore
  /// An existing directory for scratch files, on a disk with room for the unpacked block.
  package let scratch: String
  /// Times of files are clamped to this (seconds since 1970), and the image is created then.
  package let epoch: Int64

  package init(feed: PackageFeed, store: BlobStore, scratch: String, epoch: Int64) {
    self.feed = feed
    self.store = store
    self.scratch = scratch
    self.epoch = epoch
  }

  /// Makes the block's layer, config and manifests as blobs of the store.
  package func assemble(_ block: BlockSpec) throws(BlocksError) -> BlockResult {
    try named(block) {
      let (tree, packages, selection) = try gather(block)
      let writer = try LayerWriter(store: store)
      try tree.write(to: writer, epoch: epoch)
      return try image(block, layer: try writer.finish(), packages: packages, selection: selection)
    }
  }

  /// Writes the block as a docker-archive and nothing else: the layer is not compressed and no blob is made. Returns the image's id and the notices.
  package func archive(_ block: BlockSpec, to path: String) throws(BlocksError) -> (id: Digest, notices: [String]) {
    try named(block) {
      let (tree, packages, selection) = try gather(block)
      let id = try DockerArchive.write(
        reference: block.reference, epoch: epoch, to: path, config: { try config(block, diffIDs: [$0]).bytes() },
        layer: { try tree.write(to: $0, epoch: epoch) })
      return (id, Self.notices(packages, selection))
    }
  }

  private func gather(_ block: BlockSpec) throws -> (RootfsTree, [UnpackedPackage], PackageSelection) {
    let selection = try PackageSelection(block, from: feed)
    let packages = try unpack(selection.items)
    var tree = RootfsTree(block: block.name)
    for package in packages { try tree.add(package) }
    try tree.close(epoch: epoch)
    return (tree, packages, selection)
  }

  /// Turns the errors of the rooms below into this room's.
  private func named<Value>(_ block: BlockSpec, _ work: () throws -> Value) throws(BlocksError) -> Value {
    do {
      return try work()
    } catch let error as BlocksError {
      throw error
    } catch let error as FeedError {
      if case .refused(let package, let entry, let rule) = error, let package = try? PackageName(package) {
        throw .refused(block: block.name, package: package, path: entry.hasPrefix("./") ? String(entry.dropFirst(2)) : entry, rule: rule)
      }
      throw .feed(error)
    } catch let error as OCIImageError {
      throw .image(error)
    } catch let error as BlobStoreError {
      throw .store(error)
    } catch {
      throw .image(.malformed(what: "block \(block.name)", reason: "\(error)"))
    }
  }

  /// Unpacks all packages on as many threads as there are cores, each with a spool of its own.
  private func unpack(_ items: [PackageSelection.Item]) throws -> [UnpackedPackage] {
    let lanes = min(items.count, max(1, ProcessInfo.processInfo.activeProcessorCount))
    guard lanes > 0 else { return [] }
    let results = UnpackResults(count: items.count)
    let spools = try (0..<lanes).map { _ throws(BlocksError) in try ContentSpool(directory: scratch) }
    DispatchQueue.concurrentPerform(iterations: lanes) { lane in
      while let index = results.next() { results.set(index, Result { try UnpackedPackage(items[index], into: spools[lane]) }) }
    }
    return try results.all()
  }

  private func config(_ block: BlockSpec, diffIDs: [Digest]) -> ImageConfig {
    ImageConfig(platform: block.platform, labels: block.labels, diffIDs: diffIDs, created: epoch, createdBy: "blockfarm block \(block.name)")
  }

  /// What is worth knowing and no failure.
  private static func notices(_ packages: [UnpackedPackage], _ selection: PackageSelection) -> [String] {
    var notices: [String] = []
    for package in packages where !package.maintainerScripts.isEmpty {
      notices.append("maintainer scripts of package \(package.item.name) are not run: \(package.maintainerScripts.joined(separator: ", "))")
    }
    if !selection.recipesWithoutPackage.isEmpty {
      notices.append("no listed package comes from \(selection.recipesWithoutPackage.map(\.text).joined(separator: ", "))")
    }
    return notices
  }

  private func image(
    _ block: BlockSpec, layer: BlockResult.Layer, packages: [UnpackedPackage], selection: PackageSelection
  ) throws -> BlockResult {
    let configBlob = try store.put(config(block, diffIDs: [layer.diffID]).bytes())
    let manifest = try store.put(ImageManifest(.oci, config: configBlob, gzipLayers: [layer.blob]).bytes())
    let docker = try store.put(ImageManifest(.docker, config: configBlob, gzipLayers: [layer.blob]).bytes())
    return BlockResult(
      name: block.name, reference: block.reference, platform: block.platform, manifest: manifest, dockerManifest: docker,
      config: configBlob, layers: [layer],
      packages: try packages.map { package in
        let candidate = package.item.candidate
        guard let digest = try candidate.stanza.sha256 ?? Self.digest(of: candidate.path) else {
          throw FeedError.inconsistent(file: candidate.path, reason: "has no digest")
        }
        return BlockResult.Package(
          name: package.item.name, version: candidate.stanza.version.text, architecture: candidate.directory, digest: digest,
          size: candidate.stanza.size, recipe: candidate.stanza.recipe, license: candidate.stanza.license)
      }, notices: Self.notices(packages, selection))
  }

  private static func digest(of path: String) throws -> Digest? { try FileDigest.of(path) }
}

/// Results of the unpacking threads, by position.
private final class UnpackResults: @unchecked Sendable {
  private let lock = DispatchSemaphore(value: 1)
  private var results: [Result<UnpackedPackage, any Error>?]
  private var upcoming = 0

  init(count: Int) { results = Array(repeating: nil, count: count) }

  func next() -> Int? {
    lock.wait()
    defer { lock.signal() }
    guard upcoming < results.count else { return nil }
    upcoming += 1
    return upcoming - 1
  }

  func set(_ index: Int, _ result: Result<UnpackedPackage, any Error>) {
    lock.wait()
    results[index] = result
    lock.signal()
  }

  func all() throws -> [UnpackedPackage] { try results.compactMap { try $0?.get() } }
}
