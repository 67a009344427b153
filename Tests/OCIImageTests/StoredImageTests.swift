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

  static func bytes(of layer: StoredImage.Layer, limit: Int64 = .max) throws -> [UInt8] {
    let reader = try LayerReader(layer, limit: limit)
    var bytes: [UInt8] = []
    while let part = try reader.next() { bytes += Array(part) }
    return bytes
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
    try withScratchDirectory { root in
      let path = root + "/image.docker"
      try Data(try TarReaderTests.tar(form.members())).write(to: URL(filePath: path))
      let image = try DockerArchiveReader.images(in: path).only()
      #expect(image.config.platform == Architecture.armv7hf.platform)
      #expect(image.config.labels == [:])
      #expect(image.layers.count == 2)
      let store = try BlobStore(root: root + "/store")
      for layer in image.layers {
        #expect(try Self.bytes(of: layer) == Self.tar)
        let made = try layer.compress(into: store).layer
        #expect(made.diffID.hex == Self.hex(Self.tar))
        #expect(try Self.bytes(of: StoredImage.Layer(made.blob, at: store.path(made.blob.digest), diffID: made.diffID)) == Self.tar)
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
    Lie(testDescription: "other layer", word: "is not the diff id") { config, tar in
      [file("config", config), file("a.tar", Array(tar.dropLast(512))), manifest("config", ["a.tar"])]
    },
    Lie(testDescription: "number of layers", word: "1 layer") { config, tar in
      [file("config", config), file("a.tar", tar), manifest("config", ["a.tar", "a.tar"])]
    },
    Lie(testDescription: "outside", word: "no member '../../etc/passwd'") { config, tar in
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
    try withScratchDirectory { root in
      let path = root + "/image.docker"
      let members = try lie.members(Self.imageConfig([Self.hex(Self.tar)]), Self.tar)
      try Data(try TarReaderTests.tar(members)).write(to: URL(filePath: path))
      let error = #expect(throws: OCIImageError.self) {
        for layer in try DockerArchiveReader.images(in: path).only().layers { _ = try Self.bytes(of: layer) }
      }
      #expect(error?.description.contains(lie.word) == true, "\(error?.description ?? "")")
    }
  }

  @Test func layersHaveALimit() throws {
    try withScratchDirectory { root in
      let path = root + "/image.docker"
      let config = Self.imageConfig([Self.hex(Self.tar)])
      let members = [Self.file("config", config), Self.file("a.tar", try Self.gzip(Self.tar)), Self.manifest("config", ["a.tar"])]
      try Data(try TarReaderTests.tar(members)).write(to: URL(filePath: path))
      let layer = try #require(try DockerArchiveReader.images(in: path).only().layers.first)
      #expect(try Self.bytes(of: layer, limit: Int64(Self.tar.count)) == Self.tar)
      #expect(throws: OCIImageError.self) { try Self.bytes(of: layer, limit: Int64(Self.tar.count) - 1) }
    }
  }

  // MARK: What others do differently

  static let variants: [Form] = [
    Form(testDescription: "slashes in front, as skopeo finds them") { slashed("/", "/") },
    Form(testDescription: "slashes in the manifest alone") { slashed("/", "") },
    Form(testDescription: "slashes in the members alone") { slashed("", "/") },
    Form(testDescription: "dots in front") { slashed("./", "") },
    Form(testDescription: "a config under another digest") {
      let name = String(repeating: "0", count: 64) + ".json"
      return [file(name, imageConfig([hex(tar)])), file("a.tar", tar), manifest(name, ["a.tar"])]
    },
    Form(testDescription: "neighbours that nobody asks for") {
      let config = imageConfig([hex(tar)])
      return [
        file("VERSION", [49]), file("VERSION", [50]), .init(entry: TarReaderTests.entry("pipe", .fifo)),
        .init(entry: TarReaderTests.entry("outside", .symlink(target: Array("../../etc/passwd".utf8)))), file("config", config),
        file("a.tar", tar), manifest("config", ["a.tar"]),
      ]
    },
  ]

  static func slashed(_ named: String, _ stored: String) -> [TarReaderTests.Member] {
    let config = imageConfig([hex(tar)])
    func member(_ name: String, _ bytes: [UInt8]) -> TarReaderTests.Member {
      var member = file(name, bytes)
      member.entry.path = Array((stored + name).utf8)
      return member
    }
    return [member("c.json", config), member("a/layer.tar", tar), manifest(named + "c.json", [named + "a/layer.tar"])]
  }

  @Test(arguments: variants) func readsWhatSkopeoReads(_ form: Form) throws {
    try withScratchDirectory { root in
      let path = root + "/image.docker"
      try Data(try TarReaderTests.rawTar(form.members())).write(to: URL(filePath: path))
      let images = try DockerArchiveReader.images(in: path)
      #expect(try Self.bytes(of: images.only().layers[0]) == Self.tar)
      #expect(images.notes.isEmpty || images.notes[0].contains("its name is not used"), "\(images.notes)")
    }
  }

  /// What Docker calls optional in a configuration, and what is `null` in older ones.
  @Test(arguments: [
    #""os":"linux""#, #""architecture":"arm64""#, #""architecture":"unknown","os":"unknown","config":{}"#, #""config":null,"history":null"#,
    #""created":null,"config":{"Labels":null}"#,
  ]) func configurationsMayBeShort(_ members: String) throws {
    let text = #"{\#(members),"rootfs":{"diff_ids":["sha256:\#(Self.hex(Self.tar))"]}}"#
    let config = try StoredImage.Config(Array(text.utf8))
    #expect(config.platform == nil && config.labels == [:] && config.diffIDs.count == 1)
  }

  @Test(arguments: [
    ("{", "line 1 is not JSON"), ("{}", "'rootfs' is missing"), (#"{"rootfs":{"type":"other"}}"#, "'rootfs.type' is 'other'"),
    (#"{"rootfs":{"diff_ids":["md5:0"]}}"#, "'rootfs.diff_ids[0]'"),
    (#"{"rootfs":{},"config":{"Labels":{"a\u001b":1}}}"#, "must be a text"),
  ]) func whatIsWrongWithAConfigurationIsSaidPlainly(_ text: String, _ words: String) {
    let error = #expect(throws: DocumentFault.self) { try StoredImage.Config(Array(text.utf8)) }
    #expect(error?.reason.contains(words) == true, "\(error?.reason ?? "")")
  }

  @Test func othersAreCalledWhatTheyAre() throws {
    try withScratchDirectory { root in
      let others: [(String, [UInt8], String)] = [
        ("text", Array(repeating: 65, count: 2000), "it is not a tar file"), ("empty", [], "it is not a tar file"),
        ("tar.gz", try Self.gzip(Self.tar), "unpack it first: gunzip"), ("tar.zst", [0x28, 0xB5, 0x2F, 0xFD, 0, 0], "unpack it first: unzstd"),
        ("other.tar", Self.tar, "it has no member 'manifest.json'"),
      ]
      for (name, bytes, words) in others {
        try Data(bytes).write(to: URL(filePath: "\(root)/\(name)"))
        let error = #expect(throws: OCIImageError.self) { try DockerArchiveReader.images(in: "\(root)/\(name)") }
        #expect(error?.description.contains(words) == true && error?.blame == .request, "\(error?.description ?? "")")
      }
      #expect { try DockerArchiveReader.images(in: root + "/nothing") } throws: { ($0 as? OCIImageError)?.blame == .request }
      // A link to an archive is one, as bitbake leaves them.
      try Data(try TarReaderTests.tar(Self.forms[2].members())).write(to: URL(filePath: root + "/stamped.docker"))
      try FileManager.default.createSymbolicLink(atPath: root + "/link.docker", withDestinationPath: "stamped.docker")
      #expect(try Self.bytes(of: DockerArchiveReader.images(in: root + "/link.docker").only().layers[0]) == Self.tar)
    }
  }

  @Test func oneDamagedImageIsNoMatterOfTheOther() throws {
    try withScratchDirectory { root in
      let config = Self.imageConfig([Self.hex(Self.tar)])
      let list = #"[{"Config":"c","RepoTags":["bad:1"],"Layers":["gone.tar"]},{"Config":"c","RepoTags":["good:1"],"Layers":["a.tar"]}]"#
      let members = [Self.file("c", config), Self.file("a.tar", Self.tar), Self.file("manifest.json", Array(list.utf8))]
      try Data(try TarReaderTests.tar(members)).write(to: URL(filePath: root + "/two.docker"))
      var images = try DockerArchiveReader.images(in: root + "/two.docker")
      #expect(try images.select("good:1").layers.count == 1)
      #expect { _ = try images.select("bad:1") } throws: { "\($0)".contains("no member 'gone.tar'") }
      #expect { _ = try images.select() } throws: { "\($0)".contains("2 images") && "\($0)".contains("bad:1, good:1") }
    }
  }
}
