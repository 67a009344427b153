import BuildModel
import Foundation
import OCIImage
import TestFiles
import TestPeers
import Testing

/// Properties that hold for every feed, tried on feeds of random packages. `BLOCKFARM_SEEDS=100` tries more of them.
@Suite struct RandomFeedTests {
  static let seeds = Array(1...(ProcessInfo.processInfo.environment["BLOCKFARM_SEEDS"].flatMap { Int($0) } ?? 6))
  static let architectures = ["all", "aarch64", "acme_board"]

  struct Random {
    var feed: TestFeed
    var spec: BlockSpec
    /// In the order of the block's list.
    var files: [String]
  }

  static func make(_ seed: Int, in scratch: String) throws -> Random {
    let description = try Tool.run(["python3", TestFeed.fixture("random-feed.py"), "\(seed)"] + architectures)
    struct Package: Decodable {
      var name: String
      var arch: String
    }
    let packages = try JSONDecoder().decode([Package].self, from: Data(description.utf8))
    let feed = try TestFeed(in: scratch, description: description)
    var spec = try TestFeed.spec(packages.map(\.name))
    spec.allowsDevices = true
    return Random(feed: feed, spec: spec, files: packages.map { "\(feed.root)/\($0.arch)/\($0.name)_1.0_\($0.arch).ipk" })
  }

  /// The tree of a block, in one layer or in several laid over each other, is what a plain unpack of its packages in their order gives.
  @Test(arguments: seeds) func equalsAPlainUnpack(_ seed: Int) throws {
    try withScratchDirectory { scratch in
      var random = try Self.make(seed, in: scratch)
      let expected = try TreeEntry.list("ipk", random.files).map(\.clamped)
      #expect(!expected.isEmpty)
      for layering in Layering.allCases {
        random.spec.layering = layering
        let (result, store) = try random.feed.assemble(random.spec, in: scratch + "/\(layering)")
        let found = try TreeEntry.list("layers", result.layers.map { store.path($0.blob.digest) })
        #expect(found.map(\.path) == expected.map(\.path), "seed \(seed), \(layering)")
        for (one, other) in zip(found, expected) where one != other {
          Issue.record("seed \(seed), \(layering): \(one) instead of \(other)")
        }
        // Our own reader sees the same tree.
        try writeLayout(result, store: store, to: scratch + "/oci-\(layering)")
        let tree = try ImageTree(ImageLayoutReader.images(in: scratch + "/oci-\(layering)").only())
        #expect(Set(tree.entries.keys.map { String(decoding: $0, as: UTF8.self) }) == Set(expected.map(\.path)))
        for entry in expected {
          let own = try #require(tree.entries[Array(entry.path.utf8)])
          #expect(own.mtime == entry.mtime && Int(own.uid) == entry.uid && Int(own.gid) == entry.gid && own.xattrs.count == entry.xattrs.count)
          #expect(entry.type == "symlink" || "0o" + String(own.mode, radix: 8) == entry.mode)
          let first = entry.names.min { LayerOrder.ascends(Array($0.utf8), Array($1.utf8)) }
          #expect(String(decoding: own.firstName, as: UTF8.self) == first ?? entry.path)
          if case .file(let size, let digest) = own.kind { #expect(size == entry.size && digest.hex == entry.sha256) }
        }
      }
    }
  }

  /// The lowest layer depends on the packages of its own architecture alone.
  @Test(arguments: seeds) func sharesLayers(_ seed: Int) throws {
    try withScratchDirectory { scratch in
      var random = try Self.make(seed, in: scratch)
      random.spec.layering = .byArchitecture
      let whole = try random.feed.assemble(random.spec, in: scratch + "/whole").0
      let architectures = Self.architectures.filter { name in whole.packages.contains { $0.architecture == name } }
      // Every prefix of architectures alone gives the same lowest layers, whatever comes above them.
      for count in 1...architectures.count {
        let names = whole.packages.filter { architectures.prefix(count).contains($0.architecture) }.map(\.name)
        var spec = random.spec
        spec.packages = names
        spec.name = try BlockName("other-device")
        let part = try random.feed.assemble(spec, in: scratch + "/part-\(count)").0
        #expect(part.layers == Array(whole.layers.prefix(part.layers.count)), "seed \(seed)")
      }
    }
  }
}
