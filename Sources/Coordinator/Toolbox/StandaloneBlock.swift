import BlobStore
import Blocks
import BoundedConcurrency
import BuildModel
import Feed
import FoundationEssentials
import OCIImage
import Reports

/// Makes one block from a feed directory, without a farm.
package struct StandaloneBlock: Sendable {
  package var feed: String
  /// PACKAGE_ARCHS, lowest preference first.
  package var architectures: [String]
  package var block: BlockSpec
  package var epoch: Int64
  /// What to write.
  package var output: Output
  /// Where the SPDX document goes.
  package var billOfMaterials: String?

  package enum Output: Sendable {
    /// An OCI image layout, and a docker-archive beside it where a path is given.
    case layout(directory: String, dockerArchive: String?)
    /// A docker-archive alone; nothing is compressed.
    case dockerArchive(String)
  }

  package struct Result: Sendable {
    /// Of the OCI manifest; of the image configuration (the image's id) where only a docker-archive was written.
    package var digest: Digest
    package var notices: [String]
    /// Directories of the feed that were not used.
    package var ignored: [String]
  }

  package init(
    feed: String, architectures: [String], block: BlockSpec, epoch: Int64, output: Output, billOfMaterials: String? = nil
  ) {
    self.feed = feed
    self.architectures = architectures
    self.block = block
    self.epoch = epoch
    self.output = output
    self.billOfMaterials = billOfMaterials
  }

  package func build() async throws(ToolboxError) -> Result {
    do {
      return try await BlockingWork.run {
        try checkOutputs()
        return try buildNow()
      }
    } catch {
      throw ToolboxError(error)
    }
  }

  private func checkOutputs() throws {
    switch output {
    case .layout(let directory, let archive):
      try ToolboxError.checkOutput(directory: directory)
      if let archive { try ToolboxError.checkOutput(file: archive) }
      try ToolboxError.checkOutput(file: StoredBlock.lockPath(ofLayout: directory, image: block.name.text))
    case .dockerArchive(let path):
      try ToolboxError.checkOutput(file: path)
      try ToolboxError.checkOutput(file: StoredBlock.lockPath(ofArchive: path))
    }
    if let billOfMaterials { try ToolboxError.checkOutput(file: billOfMaterials) }
  }

  private func buildNow() throws -> Result {
    // Before anything is made: a wrong path leaves nothing behind.
    let feed = try PackageFeed(root: self.feed, architectures: FeedDirectory(self.feed, architectures: architectures).architectures)
    let place =
      switch output {
      case .layout(let directory, _): directory + "/"
      case .dockerArchive(let path): path
      }
    let work = "\(place).work-\(UUID().uuidString)"
    try DeployTree.makeDirectory(work)
    defer { try? FileManager.default.removeItem(atPath: work) }
    let store = try BlobStore(root: work + "/blobs")
    let assembler = BlockAssembler(feed: feed, store: store, scratch: work, epoch: epoch)
    switch output {
    case .dockerArchive(let path):
      let made = try assembler.archive(block, to: path)
      try writeRecords(made.packages, image: made.id, lock: StoredBlock.lockPath(ofArchive: path))
      return Result(digest: made.id, notices: made.notices, ignored: feed.ignoredDirectories)
    case .layout(let directory, let archive):
      let made = try assembler.assemble(block)
      try ImageLayout(directory: directory).write(
        [.init(name: block.name.text, manifest: made.manifest, platform: made.platform, blobs: [made.config] + made.layers.map(\.blob))],
        from: store)
      if let archive { try DockerArchive.write(made, from: store, epoch: epoch, to: archive) }
      try writeRecords(made.packages, image: made.manifest.digest, lock: StoredBlock.lockPath(ofLayout: directory, image: block.name.text))
      return Result(digest: made.manifest.digest, notices: made.notices, ignored: feed.ignoredDirectories)
    }
  }

  /// The lock beside the image, and the bill of materials where it was asked for.
  private func writeRecords(_ packages: [BlockResult.Package], image: Digest, lock: String) throws {
    try DeployTree.write(try BlockLock(block: block.name, packages: packages, epoch: epoch).bytes(), to: lock)
    guard let billOfMaterials else { return }
    let bytes = try BillOfMaterials(block: block.name, image: image, packages: packages, epoch: epoch).bytes()
    try DeployTree.write(bytes, to: billOfMaterials)
  }
}
