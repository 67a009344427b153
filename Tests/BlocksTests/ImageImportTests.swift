import BlobStore
import Blocks
import BuildModel
import Feed
import Foundation
import OCIImage
import TestFiles
import TestPeers
import Testing

/// Images of other builders that become blocks.
@Suite struct ImageImportTests {
  private static func spec() throws -> BlockSpec {
    BlockSpec(
      name: try BlockName("acme-ext"), origin: .recipe(try RecipeName("acme-ext"), arguments: [], assets: []), packages: [], recipes: [],
      labels: ["io.balena.image.class": "overlay", "kept": "by spec"], platform: Architecture.aarch64.platform, reference: "local/acme-ext:1.0")
  }

  /// A docker-archive with one file, and a configuration as text in which `DIFF` stands for the layer's diff id.
  private static func archive(_ config: String, at path: String) throws {
    _ = try DockerArchive.write(
      reference: "acme-ext:latest", epoch: 7, to: path, config: { Array(config.replacing("DIFF", with: $0[0].description).utf8) },
      layers: [
        { layer in
          try layer.begin(TarEntry(path: Array("boot".utf8), kind: .directory, mode: 0o755, uid: 0, gid: 0, mtime: 99))
          try layer.begin(TarEntry(path: Array("boot/kernel".utf8), kind: .file(size: 6), mode: 0o644, uid: 0, gid: 0, mtime: 99))
          try Array("kernel".utf8).withUnsafeBytes { try layer.write($0) }
        }
      ])
  }

  private static let config = """
    {"architecture":"amd64","os":"linux","created":"2020-01-01T00:00:00Z","docker_version":"20.10","container_config":{"Cmd":null},
    "config":{"Labels":{"kept":"by image","own":"yes","io.blockfarm.attempt":"x"},"Env":["A=b"],"Cmd":null,"Entrypoint":[],"User":"","WorkingDir":"/w",
    "Volumes":{"/boot":{}},"Hostname":"h"},"rootfs":{"type":"layers","diff_ids":["DIFF"]}}
    """

  @Test func layersStayAndTheConfigurationIsOurs() throws {
    try withScratchDirectory { scratch in
      try Self.archive(Self.config, at: scratch + "/image.tar")
      let store = try BlobStore(root: scratch + "/blobs")
      let spec = try Self.spec()
      let importer = ImageImport(block: spec, store: store, epoch: 1_700_000_000, builderLabels: ["io.blockfarm.attempt"])
      let result = try importer.archive(scratch + "/image.tar")
      #expect(result == (try importer.archive(scratch + "/image.tar")))
      #expect(result.layers.map(\.diffID) == [try DockerArchiveReader.images(in: scratch + "/image.tar").only().config.diffIDs[0]])
      #expect(
        String(decoding: try store.read(result.config.digest), as: UTF8.self) == #"{"architecture":"arm64","config":{"Env":["A=b"],"Labels":"#
          + #"{"io.balena.image.class":"overlay","kept":"by spec","own":"yes"},"Volumes":{"/boot":{}},"WorkingDir":"/w"},"#
          + #""created":"2023-11-14T22:13:20Z","history":[{"created":"2023-11-14T22:13:20Z","created_by":"blockfarm block acme-ext"}],"os":"linux","#
          + #""rootfs":{"diff_ids":["\#(result.layers[0].diffID)"],"type":"layers"},"variant":"v8"}"#)
      #expect(result.notices == ["the image calls itself linux/amd64; it is taken as linux/arm64/v8, the device type's platform"])
      #expect(try BlockVerification.verify(result, against: spec, in: store).count == 1)

      // skopeo reads what was made, as docker-archive and as layout.
      try writeLayout(result, store: store, to: scratch + "/layout")
      try DockerArchive.write(result, from: store, epoch: 0, to: scratch + "/again.tar")
      for source in ["docker-archive:\(scratch)/again.tar", "oci:\(scratch)/layout:block"] {
        #expect(try Tool.run("skopeo", "inspect", source).contains(#""own": "yes""#))
      }
    }
  }

  @Test func verificationWantsTheSpecsLabels() throws {
    try withScratchDirectory { scratch in
      try Self.archive(Self.config, at: scratch + "/image.tar")
      let store = try BlobStore(root: scratch + "/blobs")
      var spec = try Self.spec()
      let result = try ImageImport(block: spec, store: store, epoch: 0).archive(scratch + "/image.tar")
      spec.labels["io.balena.image.class"] = "hostapp"
      #expect { _ = try BlockVerification.verify(result, against: spec, in: store) } throws: { "\($0)".contains("labels") }
      var claimed = result
      claimed.packages = [
        .init(name: try PackageName("x"), version: "1", architecture: "all", digest: result.config.digest, size: 1, recipe: nil, license: nil)
      ]
      #expect { _ = try BlockVerification.verify(claimed, against: Self.spec(), in: store) } throws: { "\($0)".contains("package list") }
    }
  }

  @Test(arguments: [
    ("no layers of its own", config.replacing("[\"DIFF\"]", with: "[]"), "malformed"),
    ("another diff id", config.replacing("DIFF", with: "sha256:" + String(repeating: "0", count: 64)), "is not the diff id sha256:0000"),
    ("no JSON", "{", "its image configuration cannot be used: line 1 is not JSON"),
    (
      "labels that are none", config.replacing("\"own\":\"yes\"", with: "\"own\":1"),
      "'config.Labels.own' must be a text"
    ),
    ("an environment that is none", config.replacing("[\"A=b\"]", with: "\"A=b\""), "its configuration cannot be read"),
  ])
  func whatIsWrongIsRefused(_ what: String, _ config: String, _ word: String) throws {
    try withScratchDirectory { scratch in
      try Self.archive(config, at: scratch + "/image.tar")
      let store = try BlobStore(root: scratch + "/blobs")
      let importer = try ImageImport(block: Self.spec(), store: store, epoch: 0)
      #expect { _ = try importer.archive(scratch + "/image.tar") } throws: { $0 is BlocksError && "\($0)".contains(word) }
      #expect(try FileManager.default.contentsOfDirectory(atPath: scratch + "/blobs/sha256") == [])
      #expect(try FileManager.default.contentsOfDirectory(atPath: scratch + "/blobs/ingest") == [])
    }
  }

  @Test func oneImageIsWanted() throws {
    try withScratchDirectory { scratch in
      try Self.archive(Self.config, at: scratch + "/image.tar")
      let store = try BlobStore(root: scratch + "/blobs")
      let importer = try ImageImport(block: Self.spec(), store: store, epoch: 0)
      try FileManager.default.createDirectory(atPath: scratch + "/unpacked", withIntermediateDirectories: true)
      try Tool.run("tar", "-xf", scratch + "/image.tar", "-C", scratch + "/unpacked")
      let manifest = scratch + "/unpacked/manifest.json"
      let text = try String(contentsOfFile: manifest, encoding: .utf8)
      for (changed, word) in [
        ("[\(text.dropFirst().dropLast()),\(text.dropFirst().dropLast())]", "2 images"), ("[]", "names 0 images"),
      ] {
        try changed.write(toFile: manifest, atomically: true, encoding: .utf8)
        try Tool.run("tar", "-cf", scratch + "/changed.tar", "-C", scratch + "/unpacked", ".")
        let error = #expect(throws: BlocksError.self) { try importer.archive(scratch + "/changed.tar") }
        #expect(error?.description.contains(word) == true || error?.description.contains("./") == true, "\(error?.description ?? "")")
      }
      #expect(throws: BlocksError.self) { try importer.archive(scratch + "/absent.tar") }
    }
  }
}
