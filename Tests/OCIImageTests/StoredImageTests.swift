import BlobStore
import BuildModel
import Foundation
import TestFiles
import Testing

import struct Crypto.SHA256

@testable import OCIImage

/// Reading images of others. That docker, skopeo and umoci write such images is in BlocksTests.
@Suite struct StoredImageTests {
  static func hex(_ bytes: [UInt8]) -> String { Digest(bytes: SHA256.hash(data: bytes))?.hex ?? "" }

  func withDirectory<Value>(_ body: (String) throws -> Value) throws -> Value {
    try withScratchDirectory { root in
      return try body(root)
    }
  }

  static func gzip(_ bytes: [UInt8]) throws -> [UInt8] {
    try withScratchDirectory { root in
      let store = try BlobStore(root: root)
      let writer = try BlobWriter(store: store)
      let gzip = GzipChunks(into: writer)
      try bytes.withUnsafeBytes { try gzip.write($0) }
      try gzip.finish()
      return try store.read(writer.finish(expecting: nil).digest)
    }
  }

  /// A layer's tar of more than one gzip member.
  static let tar: [UInt8] = (try? TarReaderTests.tar(TarReaderTests.members + [big])) ?? []
  static let big = TarReaderTests.Member(
    entry: TarReaderTests.entry("z", .file(size: 3_000_000)), bytes: (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 77 >> 3) })

  static func imageConfig(_ diffIDs: [String]) -> [UInt8] {
    let list = diffIDs.map { "\"sha256:\($0)\"" }.joined(separator: ",")
    return Array(
      #"{"architecture":"arm","variant":"v7","os":"linux","config":{"Labels":null,"Cmd":["sh"]},"rootfs":{"type":"layers","diff_ids":[\#(list)]}}"#
        .utf8)
  }

  struct Form: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var members: @Sendable () throws -> [TarReaderTests.Member]
  }

  static func file(_ name: String, _ bytes: [UInt8]) -> TarReaderTests.Member {
    .init(entry: TarReaderTests.entry(name, .file(size: Int64(bytes.count))), bytes: bytes)
  }
  static func manifest(_ config: String, _ layers: [String], tags: String = #"["acme:1"]"#) -> TarReaderTests.Member {
    let list = layers.map { "\"\($0)\"" }.joined(separator: ",")
    return file("manifest.json", Array(#"[{"Config":"\#(config)","RepoTags":\#(tags),"Layers":[\#(list)]}]"#.utf8))
  }

  static let forms: [Form] = [
    Form(testDescription: "legacy, the second layer a symbolic link") {
      let config = imageConfig([hex(tar), hex(tar)])
      return [
        file(hex(config) + ".json", config), .init(entry: TarReaderTests.entry("one", .directory)), file("one/layer.tar", tar),
        file("one/VERSION", Array("1.0".utf8)),
        .init(entry: TarReaderTests.entry("two/layer.tar", .symlink(target: Array("../one/layer.tar".utf8)))),
        manifest(hex(config) + ".json", ["one/layer.tar", "two/layer.tar"]),
      ]
    },
    Form(testDescription: "blobs, gzip and plain") {
      let config = imageConfig([hex(tar), hex(tar)])
      let packed = try gzip(tar)
      return [
        file("blobs/sha256/" + hex(config), config), file("blobs/sha256/" + hex(packed), packed), file("blobs/sha256/" + hex(tar), tar),
        file("oci-layout", []), manifest("blobs/sha256/" + hex(config), ["blobs/sha256/" + hex(packed), "blobs/sha256/" + hex(tar)], tags: "null"),
      ]
    },
    Form(testDescription: "hard link") {
      let config = imageConfig([hex(tar), hex(tar)])
      return [
        file("config", config), file("a.tar", tar), .init(entry: TarReaderTests.entry("b.tar", .hardlink(target: Array("a.tar".utf8)))),
        manifest("config", ["a.tar", "b.tar"]),
      ]
    },
  ]

  @Test(arguments: forms) func readsArchives(_ form: Form) throws {
    try withDirectory { root in
      let path = root + "/image.docker"
      try Data(try TarReaderTests.tar(form.members())).write(to: URL(filePath: path))
      let image = try #require(try DockerArchiveReader.images(in: path).first)
      #expect(image.config.platform == Architecture.armv7hf.platform)
      #expect(image.config.labels == [:])
      #expect(image.layers.count == 2)
      let store = try BlobStore(root: root + "/store")
      for layer in image.layers {
        var bytes: [UInt8] = []
        try layer.read { bytes += Array($0) }
        #expect(bytes == Self.tar)
        let made = try layer.compress(into: store).layer
        #expect(made.diffID.hex == Self.hex(Self.tar))
        var again: [UInt8] = []
        try GzipMembers.read(store.path(made.blob.digest)) { again += Array($0) }
        #expect(again == Self.tar)
      }
    }
  }

  struct Lie: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var word: String
    var members: @Sendable ([UInt8], [UInt8]) throws -> [TarReaderTests.Member]
  }

  static let lies: [Lie] = [
    Lie(testDescription: "no manifest", word: "manifest.json") { config, tar in [file("config", config), file("a.tar", tar)] },
    Lie(testDescription: "no layer", word: "'a.tar'") { config, _ in [file("config", config), manifest("config", ["a.tar"])] },
    Lie(testDescription: "other layer", word: "its layer is not") { config, tar in
      [file("config", config), file("a.tar", Array(tar.dropLast(512))), manifest("config", ["a.tar"])]
    },
    Lie(testDescription: "other config", word: "is sha256:") { config, tar in
      let name = hex(tar) + ".json"
      return [file(name, config), file("a.tar", tar), manifest(name, ["a.tar"])]
    },
    Lie(testDescription: "number of layers", word: "1 layers") { config, tar in
      [file("config", config), file("a.tar", tar), manifest("config", ["a.tar", "a.tar"])]
    },
    Lie(testDescription: "outside", word: "points outside") { config, tar in
      [
        file("config", config), .init(entry: TarReaderTests.entry("a.tar", .symlink(target: Array("../../etc/passwd".utf8)))),
        manifest("config", ["a.tar"]),
      ]
    },
    Lie(testDescription: "loop", word: "chain of links") { config, tar in
      [
        file("config", config), .init(entry: TarReaderTests.entry("a.tar", .symlink(target: Array("b.tar".utf8)))),
        .init(entry: TarReaderTests.entry("b.tar", .symlink(target: Array("a.tar".utf8)))), manifest("config", ["a.tar"]),
      ]
    },
    Lie(testDescription: "twice", word: "two members") { config, tar in
      [file("config", config), file("config", config), file("a.tar", tar), manifest("config", ["a.tar"])]
    },
    Lie(testDescription: "truncated gzip", word: "gzip") { config, tar in
      [file("config", config), file("a.tar", Array(try gzip(tar).dropLast(10))), manifest("config", ["a.tar"])]
    },
    Lie(testDescription: "damaged gzip", word: "gzip") { config, tar in
      var packed = try gzip(tar)
      packed[5000] ^= 0xff
      return [file("config", config), file("a.tar", packed), manifest("config", ["a.tar"])]
    },
    Lie(testDescription: "after gzip", word: "gzip") { config, tar in
      [file("config", config), file("a.tar", try gzip(tar) + [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]), manifest("config", ["a.tar"])]
    },
    Lie(testDescription: "no JSON", word: "manifest.json") { config, tar in
      [file("config", config), file("a.tar", tar), file("manifest.json", Array("[{".utf8))]
    },
  ]

  @Test(arguments: lies) func refusesArchives(_ lie: Lie) throws {
    try withDirectory { root in
      let path = root + "/image.docker"
      let members = try lie.members(Self.imageConfig([Self.hex(Self.tar)]), Self.tar)
      try Data(try TarReaderTests.tar(members)).write(to: URL(filePath: path))
      let error = #expect(throws: OCIImageError.self) {
        for image in try DockerArchiveReader.images(in: path) { for layer in image.layers { try layer.read { _ in } } }
      }
      #expect(error?.description.contains(lie.word) == true, "\(error?.description ?? "")")
    }
  }

  @Test func layersHaveALimit() throws {
    try withDirectory { root in
      let path = root + "/image.docker"
      let config = Self.imageConfig([Self.hex(Self.tar)])
      let members = [Self.file("config", config), Self.file("a.tar", try Self.gzip(Self.tar)), Self.manifest("config", ["a.tar"])]
      try Data(try TarReaderTests.tar(members)).write(to: URL(filePath: path))
      let layer = try #require(try DockerArchiveReader.images(in: path).first?.layers.first)
      #expect(try layer.read { _ in } == Int64(Self.tar.count))
      #expect(throws: OCIImageError.self) { try layer.read(limit: Int64(Self.tar.count) - 1) { _ in } }
    }
  }

  /// Writes a layout by hand: `change` gets the files by their path below the layout.
  func layout(_ root: String, change: (inout [String: [UInt8]]) throws -> Void = { _ in }) throws -> String {
    let packed = try Self.gzip(Self.tar)
    let config = Self.imageConfig([Self.hex(packed), Self.hex(Self.tar)].map { $0 == Self.hex(packed) ? Self.hex(Self.tar) : $0 })
    let blobs = [config, packed, Self.tar]
    func descriptor(_ type: String, _ bytes: [UInt8], _ more: String = "") -> String {
      #"{"mediaType":"\#(type)","digest":"sha256:\#(Self.hex(bytes))","size":\#(bytes.count)\#(more)}"#
    }
    let layers = descriptor(MediaType.ociGzipLayer, packed) + "," + descriptor(MediaType.ociLayer, Self.tar)
    let manifest = Array(#"{"schemaVersion":2,"config":\#(descriptor(MediaType.ociConfig, config)),"layers":[\#(layers)]}"#.utf8)
    let inner = Array(#"{"manifests":[\#(descriptor(MediaType.ociManifest, manifest))]}"#.utf8)
    let name = #","annotations":{"org.opencontainers.image.ref.name":"one"}"#
    let index = #"{"manifests":[\#(descriptor(MediaType.ociManifest, manifest, name)),\#(descriptor(MediaType.ociIndex, inner))]}"#
    var files = ["oci-layout": Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8), "index.json": Array(index.utf8)]
    for bytes in blobs + [manifest, inner] { files["blobs/sha256/" + Self.hex(bytes)] = bytes }
    try change(&files)
    try FileManager.default.createDirectory(atPath: root + "/oci/blobs/sha256", withIntermediateDirectories: true)
    for (path, bytes) in files { try Data(bytes).write(to: URL(filePath: root + "/oci/" + path)) }
    return root + "/oci"
  }

  @Test func readsLayouts() throws {
    try withDirectory { root in
      let images = try ImageLayoutReader.images(in: try layout(root))
      #expect(images.map(\.names) == [["one"], []])
      for layer in images.flatMap(\.layers) {
        var bytes: [UInt8] = []
        try layer.read { bytes += Array($0) }
        #expect(bytes == Self.tar)
      }
    }
  }

  @Test(arguments: ["config", "packed", "version", "index", "missing", "link", "type", "size"]) func refusesLayouts(_ kind: String) throws {
    try withDirectory { root in
      let packed = "blobs/sha256/" + Self.hex(try Self.gzip(Self.tar))
      let path = try layout(root) { files in
        switch kind {
        case "config":
          let key = try #require(files.first { $0.value.starts(with: #"{"architecture""#.utf8) }?.key)
          files[key]?[20] ^= 1
        // The checksum of the last member: the tar is the same, the blob is not.
        case "packed": files[packed]?[4] ^= 1
        case "version": files["oci-layout"] = Array(#"{"imageLayoutVersion":"2.0.0"}"#.utf8)
        case "index": files["index.json"] = Array("{}".utf8)
        case "missing", "link": files[packed] = nil
        case "size": files[packed]?.append(0)
        default: files["index.json"] = Array(String(decoding: files["index.json"] ?? [], as: UTF8.self).replacing("manifest.v1", with: "other").utf8)
        }
      }
      if kind == "link" {
        try Data(try Self.gzip(Self.tar)).write(to: URL(filePath: root + "/elsewhere"))
        try FileManager.default.createSymbolicLink(atPath: path + "/" + packed, withDestinationPath: root + "/elsewhere")
      }
      #expect(throws: OCIImageError.self) {
        for image in try ImageLayoutReader.images(in: path) { for layer in image.layers { try layer.read { _ in } } }
      }
    }
  }
}
