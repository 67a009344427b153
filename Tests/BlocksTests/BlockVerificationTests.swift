import BlobStore
import Blocks
import BuildModel
import Foundation
import OCIImage
import TestFiles
import Testing

@Suite struct BlockVerificationTests {
  /// Every kind of block that we make passes.
  @Test(arguments: Layering.allCases) func passes(_ layering: Layering) throws {
    try withScratchDirectory { scratch in
      let spec = try TestFeed.spec(layering: layering)
      let (result, store) = try TestFeed(in: scratch).assemble(spec, in: scratch + "/work")
      #expect(result.layers.count == (layering == .single ? 1 : 4))
      #expect(try BlockVerification.verify(result, against: spec, in: store).allSatisfy { $0 > 1024 })
    }
  }

  struct LayerLie: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var word: String
    /// The entries of the layers, lowest first.
    var layers: [[TarEntry]]
  }

  static func entry(_ path: String, _ kind: TarEntry.Kind, xattrs: [String: [UInt8]] = [:]) -> TarEntry {
    TarEntry(path: Array(path.utf8), kind: kind, mode: 0o755, uid: 0, gid: 0, mtime: 0, xattrs: xattrs)
  }

  static let layerLies: [LayerLie] = [
    LayerLie(testDescription: "no parent", word: "parent", layers: [[entry("a/b", .file(size: 0))]]),
    LayerLie(
      testDescription: "parent only below", word: "parent", layers: [[entry("a", .directory)], [entry("a/b", .file(size: 0))]]),
    LayerLie(
      testDescription: "below a link", word: "parent",
      layers: [[entry("a", .symlink(target: Array("/etc".utf8))), entry("a/b", .file(size: 0))]]),
    LayerLie(testDescription: "whiteout", word: ".wh.", layers: [[entry(".wh.a", .file(size: 0))]]),
    LayerLie(testDescription: "opaque", word: ".wh.", layers: [[entry("a", .directory), entry("a/.wh..wh..opq", .file(size: 0))]]),
    LayerLie(testDescription: "overlay attribute", word: "reserved", layers: [[entry("a", .directory, xattrs: ["trusted.overlay.opaque": [121]])]]),
    LayerLie(testDescription: "device", word: "device", layers: [[entry("a", .blockDevice(major: 8, minor: 0))]]),
    LayerLie(testDescription: "overlay whiteout", word: "deletes", layers: [[entry("a", .characterDevice(major: 0, minor: 0))]]),
    LayerLie(testDescription: "pipe", word: "pipe", layers: [[entry("a", .fifo)]]),
    LayerLie(
      testDescription: "hard link into a lower layer", word: "hard link",
      layers: [[entry("a", .file(size: 0))], [entry("b", .hardlink(target: Array("a".utf8)))]]),
    LayerLie(
      testDescription: "a file where a directory was", word: "another kind",
      layers: [[entry("a", .directory), entry("a/b", .file(size: 0))], [entry("a", .file(size: 0))]]),
    LayerLie(
      testDescription: "too many layers", word: "number of layers",
      layers: [[entry("a", .directory)], [entry("b", .directory)], [entry("c", .directory)]]),
  ]

  /// Layers that tell all their digests truly and still are none of ours.
  @Test(arguments: layerLies) func findsLayers(_ lie: LayerLie) throws {
    try withScratchDirectory { scratch in
      let spec = try TestFeed.spec(["base-files", "firmware"], layering: .byArchitecture)
      var (result, store) = try TestFeed(in: scratch).assemble(spec, in: scratch + "/work")
      result.layers = try lie.layers.map { entries in
        let writer = try LayerWriter(store: store)
        for entry in entries { try writer.begin(entry) }
        return try writer.finish()
      }
      let config = ImageConfig(
        platform: result.platform, labels: spec.labels, diffIDs: result.layers.map(\.diffID), created: TestFeed.epoch, createdBy: "x")
      try Self.rewrite(&result, store, config: config.bytes())
      let error = #expect(throws: BlocksError.self) { try BlockVerification.verify(result, against: spec, in: store) }
      #expect(error?.description.contains(lie.word) == true, "\(error?.description ?? "")")
    }
  }

  struct Lie: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var word: String
    var tell: @Sendable (inout BlockResult, BlobStore) throws -> Void
  }

  /// Makes config and manifests anew, as a lying worker would.
  static func rewrite(_ result: inout BlockResult, _ store: BlobStore, config: [UInt8]) throws {
    result.config = try store.put(config)
    result.manifest = try store.put(ImageManifest(.oci, config: result.config, gzipLayers: result.layers.map(\.blob)).bytes())
    result.dockerManifest = try store.put(ImageManifest(.docker, config: result.config, gzipLayers: result.layers.map(\.blob)).bytes())
  }

  static let lies: [Lie] = [
    Lie(testDescription: "name", word: "name") { result, _ in result.name = try BlockName("other") },
    Lie(testDescription: "reference", word: "reference") { result, _ in result.reference = "docker.io/evil:latest" },
    Lie(testDescription: "platform", word: "platform") { result, _ in result.platform = Platform(os: "linux", architecture: "amd64", variant: nil) },
    Lie(testDescription: "missing package", word: "package list") { result, _ in result.packages.removeLast() },
    Lie(testDescription: "repeated package", word: "package list") { result, _ in result.packages.append(result.packages[0]) },
    Lie(testDescription: "no layer", word: "number of layers") { result, store in
      let config = ImageConfig(
        platform: result.platform, labels: try TestFeed.spec().labels, diffIDs: [], created: TestFeed.epoch, createdBy: "x")
      result.layers = []
      try rewrite(&result, store, config: config.bytes())
    },
    Lie(testDescription: "labels", word: "labels") { result, store in
      let config = ImageConfig(
        platform: result.platform, labels: ["a": "b"], diffIDs: result.layers.map(\.diffID), created: TestFeed.epoch, createdBy: "x")
      try rewrite(&result, store, config: config.bytes())
    },
    Lie(testDescription: "entry point", word: "config") { result, store in
      let text = String(decoding: try store.read(result.config.digest), as: UTF8.self)
      try rewrite(&result, store, config: Array(text.replacing(#""config":{"#, with: #""config":{"Cmd":["/evil"],"#).utf8))
    },
    Lie(testDescription: "diff id", word: "diff id") { result, store in
      let other = try #require(Digest(hex: String(repeating: "0", count: 64)))
      result.layers[0].diffID = other
      let config = ImageConfig(
        platform: result.platform, labels: try TestFeed.spec().labels, diffIDs: [other], created: TestFeed.epoch, createdBy: "x")
      try rewrite(&result, store, config: config.bytes())
    },
    Lie(testDescription: "manifest", word: "docker manifest") { result, store in
      result.dockerManifest = try store.put(Array("{}".utf8))
    },
    Lie(testDescription: "layer size", word: "size of layer") { result, store in
      result.layers[0].blob.size += 1
      try rewrite(&result, store, config: try store.read(result.config.digest))
    },
    Lie(testDescription: "layer content", word: "sha256:") { result, store in
      let path = store.path(result.layers[0].blob.digest)
      chmod(path, 0o644)
      let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
      try file.seek(toOffset: 1000)
      try file.write(contentsOf: Data([1, 2, 3, 4]))
      try file.close()
    },
    Lie(testDescription: "no blob", word: "not in the store") { result, store in unlink(store.path(result.layers[0].blob.digest)) },
  ]

  @Test(arguments: lies) func finds(_ lie: Lie) throws {
    try withScratchDirectory { scratch in
      let spec = try TestFeed.spec(["base-files"])
      var (result, store) = try TestFeed(in: scratch).assemble(spec, in: scratch + "/work")
      #expect(try BlockVerification.verify(result, against: spec, in: store).count == 1)
      try lie.tell(&result, store)
      let error = #expect(throws: BlocksError.self) { try BlockVerification.verify(result, against: spec, in: store) }
      #expect(error?.description.contains(lie.word) == true, "\(error?.description ?? "")")
    }
  }
}
