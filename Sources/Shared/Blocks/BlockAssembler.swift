import BlobStore
import BoundedConcurrency
import BuildModel
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

  /// Makes the block's layers, config and manifests as blobs of the store.
  package func assemble(_ block: BlockSpec) throws(BlocksError) -> BlockResult {
    try named(block) {
      let gathered = try gather(block, compresses: true)
      let layers = try gathered.layers.map { content in
        let writer = try LayerWriter(store: store)
        try content.write(to: writer, epoch: epoch)
        return try writer.finish()
      }
      let configBlob = try store.put(config(block, diffIDs: layers.map(\.diffID)).bytes())
      return BlockResult(
        name: block.name, reference: block.reference, platform: block.platform,
        manifest: try store.put(ImageManifest(.oci, config: configBlob, gzipLayers: layers.map(\.blob)).bytes()),
        dockerManifest: try store.put(ImageManifest(.docker, config: configBlob, gzipLayers: layers.map(\.blob)).bytes()),
        config: configBlob, layers: layers, packages: gathered.packages, notices: gathered.notices)
    }
  }

  /// A block that was written as a docker-archive alone.
  package struct Archived: Sendable {
    /// Digest of the image configuration.
    package var id: Digest
    package var packages: [BlockResult.Package]
    package var notices: [String]
  }

  /// Writes the block as a docker-archive and nothing else: no layer is compressed and no blob is made.
  package func archive(_ block: BlockSpec, to path: String) throws(BlocksError) -> Archived {
    try named(block) {
      let gathered = try gather(block, compresses: false)
      let id = try DockerArchive.write(
        reference: block.reference, epoch: epoch, to: path, config: { try config(block, diffIDs: $0).bytes() },
        layers: gathered.layers.map { content in { try content.write(to: $0, epoch: epoch) } })
      return Archived(id: id, packages: gathered.packages, notices: gathered.notices)
    }
  }

  /// What a block consists of, before it is written anywhere.
  private struct Gathered {
    var layers: [LayerContent]
    var packages: [BlockResult.Package]
    var notices: [String]
  }

  private func gather(_ block: BlockSpec, compresses: Bool) throws -> Gathered {
    if let reason = block.lock?.mismatch(epoch: epoch, compresses: compresses) { throw BlocksError.lock(block: block.name, reason: reason) }
    let selection = try PackageSelection(block, from: feed)
    let packages = try unpack(selection.items)
    let tree = try RootfsTree(block, packages: packages, epoch: epoch)
    return Gathered(
      layers: try layers(of: tree, block, packages), packages: try packages.map(Self.described),
      notices: selection.notices + Self.notices(packages, selection) + KernelModules.notices(tree.nodes.keys))
  }

  private func layers(of tree: RootfsTree, _ block: BlockSpec, _ packages: [UnpackedPackage]) throws -> [LayerContent] {
    var groups: [Set<String>] = []
    if block.layering == .byArchitecture {
      let used = Set(packages.map(\.item.candidate.directory))
      for architecture in feed.architectures where used.contains(architecture) { groups.append((groups.last ?? []).union([architecture])) }
    }
    var lower: RootfsTree?
    var layers: [LayerContent] = []
    for group in groups.dropLast() {
      let part = try RootfsTree(block, packages: packages.filter { group.contains($0.item.candidate.directory) }, epoch: epoch)
      if !part.nodes.isEmpty, let content = LayerContent(part, over: lower, epoch: epoch) { layers.append(content) }
      lower = part
    }
    // A block without any file still is an image of one layer.
    if let content = LayerContent(tree, over: layers.isEmpty ? nil : lower, epoch: epoch) { layers.append(content) }
    return layers
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

  /// Unpacks all packages on as many threads as there are processors, each with a spool of its own.
  private func unpack(_ items: [PackageSelection.Item]) throws -> [UnpackedPackage] {
    let spools = try (0..<min(items.count, Processors.available)).map { _ throws(BlocksError) in try ContentSpool(directory: scratch) }
    return try items.parallelMap(holding: spools, largestFirst: items.map(\.candidate.stanza.size)) { (item, spool) in
      try UnpackedPackage(item, into: spool)
    }
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

  private static func described(_ package: UnpackedPackage) throws(BlocksError) -> BlockResult.Package {
    let candidate = package.item.candidate
    return BlockResult.Package(
      name: package.item.name, version: candidate.stanza.version.text, architecture: candidate.directory,
      digest: try PackageSelection.digest(of: candidate), size: candidate.stanza.size, recipe: candidate.stanza.recipe,
      license: candidate.stanza.license, listedAs: package.item.listedAs == [package.item.name] ? nil : package.item.listedAs)
  }
}
