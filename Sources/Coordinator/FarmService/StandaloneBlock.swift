import BlobStore
import Blocks
import BuildModel
import Feed
import FoundationEssentials
import OCIImage

/// Makes one block from a feed directory, without a farm.
package struct StandaloneBlock: Sendable {
  package var feed: String
  /// PACKAGE_ARCHS, lowest preference first.
  package var architectures: [String]
  package var block: BlockSpec
  package var epoch: Int64
  /// Directory of the OCI image layout to write.
  package var output: String
  /// Path of a docker-archive to write, too.
  package var dockerArchive: String?

  package init(feed: String, architectures: [String], block: BlockSpec, epoch: Int64, output: String, dockerArchive: String?) {
    self.feed = feed
    self.architectures = architectures
    self.block = block
    self.epoch = epoch
    self.output = output
    self.dockerArchive = dockerArchive
  }

  /// Builds and writes; returns the block and the directories of the feed that were not used.
  package func build() async throws(FarmError) -> (BlockResult, ignored: [String]) {
    do {
      return try await BlockingWork.run { try buildNow() }
    } catch {
      throw .farm("\(error)")
    }
  }

  private func buildNow() throws -> (BlockResult, ignored: [String]) {
    let work = output + "/.work-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: work, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: work) }
    let store = try BlobStore(root: work + "/blobs")
    let feed = try PackageFeed(root: self.feed, architectures: architectures)
    let result = try BlockAssembler(feed: feed, store: store, scratch: work, epoch: epoch).assemble(block)
    try ImageLayout(directory: output).write(
      [.init(name: block.name.text, manifest: result.manifest, platform: result.platform, blobs: [result.config] + result.layers.map(\.blob))],
      from: store)
    if let dockerArchive {
      try DockerArchive.write(result, from: store, epoch: epoch, to: dockerArchive)
    }
    return (result, feed.ignoredDirectories)
  }
}
