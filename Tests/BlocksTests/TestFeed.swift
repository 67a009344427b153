import BlobStore
import Blocks
import BuildModel
import Feed
import Foundation
import OCIImage
import TestPeers
import Testing

/// A feed made by `make-feed.py`, and blocks built from it.
struct TestFeed {
  static let architectures = ["all", "any", "noarch", "aarch64", "armv8a", "cortexa72", "acme_board"]
  static let epoch: Int64 = 1_700_000_000
  static let packages = ["base-files", "firmware", "names", "attributes", "tools"]

  let root: String

  static func fixture(_ name: String) throws -> String {
    try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil)).path + "/" + name
  }

  /// Makes the feed of `Fixtures/feed.json`, or of another description.
  init(in scratch: String, description: String? = nil) throws {
    root = scratch + "/feed"
    let text = try description ?? String(contentsOfFile: Self.fixture("feed.json"), encoding: .utf8)
    try Tool.run("python3", Self.fixture("make-feed.py"), root, input: text)
  }

  static func spec(_ packages: [String] = packages, recipes: [String] = [], layering: Layering = .single) throws -> BlockSpec {
    BlockSpec(
      name: try BlockName("acme-tools"), packages: try packages.map { try PackageName($0) }, recipes: try recipes.map { try RecipeName($0) },
      labels: ["io.balena.image.class": "overlay", "io.balena.image.store": "data", "note": "a/b \"c\" ü"],
      platform: Platform(os: "linux", architecture: "arm64", variant: "v8"), reference: "local/acme-tools:1.0",
      layering: layering)
  }

  func assemble(_ spec: BlockSpec, in work: String, epoch: Int64 = epoch) throws -> (BlockResult, BlobStore) {
    let (assembler, store) = try assembler(in: work, epoch: epoch)
    return (try assembler.assemble(spec), store)
  }

  func assembler(in work: String, epoch: Int64 = epoch) throws -> (BlockAssembler, BlobStore) {
    try FileManager.default.createDirectory(atPath: work, withIntermediateDirectories: true)
    let store = try BlobStore(root: work + "/blobs")
    let feed = try PackageFeed(root: root, architectures: Self.architectures)
    return (BlockAssembler(feed: feed, store: store, scratch: work, epoch: epoch), store)
  }

  /// Where the packages of the usual spec lie, in its order.
  var files: [String] {
    [
      "all/base-files_3.0-r1_all.ipk", "acme_board/firmware_1.10-r0_acme_board.ipk", "aarch64/names_1:1.0~rc1-r0_aarch64.ipk",
      "cortexa72/attributes_2.1-r0_cortexa72.ipk", "all/tools_1.0-r0_all.ipk",
    ].map { root + "/" + $0 }
  }
}

/// Writes an OCI layout with the block under the name `block`.
func writeLayout(_ result: BlockResult, store: BlobStore, to path: String) throws {
  try ImageLayout(directory: path).write(
    [.init(name: "block", manifest: result.manifest, platform: result.platform, blobs: [result.config] + result.layers.map(\.blob))], from: store)
}
