import BlobStore
import BuildModel
import Foundation
import HTTP
import OCIImage
import Registry
import TestFiles
import Testing

@testable import Toolbox

/// A block as a worker makes it, once as a layout and once as a docker-archive.
struct PushableImageTests {
  private func withBlock(_ body: (_ layout: String, _ archive: String, _ block: BlockResult, _ scratch: String) throws -> Void) throws {
    try withScratchDirectory { scratch in
      let store = try BlobStore(root: scratch + "/store")
      let writer = try LayerWriter(store: store)
      let content = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7919 >> 5) }
      try writer.begin(
        TarEntry(path: Array("file".utf8), kind: .file(size: Int64(content.count)), mode: 0o644, uid: 0, gid: 0, mtime: 7))
      try content.withUnsafeBytes { try writer.write($0) }
      let layer = try writer.finish()
      let platform = Platform(os: "linux", architecture: "arm64", variant: nil)
      let config = try store.put(
        try ImageConfig(platform: platform, labels: ["a": "b"], diffIDs: [layer.diffID], created: 7, createdBy: "test").bytes())
      let block = BlockResult(
        name: try BlockName("tools"), reference: "local/tools:latest", platform: platform,
        manifest: try store.put(try ImageManifest(.oci, config: config, gzipLayers: [layer.blob]).bytes()),
        dockerManifest: try store.put(try ImageManifest(.docker, config: config, gzipLayers: [layer.blob]).bytes()), config: config,
        layers: [layer], packages: [], notices: [])
      let layout = scratch + "/oci"
      try ImageLayout(directory: layout).write(
        ["tools", "other"].map { .init(name: $0, manifest: block.manifest, platform: platform, blobs: [config, layer.blob]) }, from: store)
      try DockerArchive.write(block, from: store, epoch: 7, to: scratch + "/tools.docker")
      try body(layout, scratch + "/tools.docker", block, scratch)
    }
  }

  @Test func layoutAndArchiveAreTheImageThatWasBuilt() throws {
    try withBlock { layout, archive, block, scratch in
      let images = [
        try PushableImage.read(layout + ":tools", format: .docker, scratch: scratch),
        try PushableImage.read(archive, format: .docker, scratch: scratch),
      ]
      for image in images {
        #expect(image.manifest.blob == block.dockerManifest)
        #expect(Set(image.blobs.map(\.blob)) == [block.config, block.layers[0].blob])
      }
      #expect(try PushableImage.read(layout + ":tools", format: .oci, scratch: scratch).manifest.blob == block.manifest)
    }
  }

  @Test func whatIsAmbiguousOrDamagedIsRefused() throws {
    try withBlock { layout, archive, block, scratch in
      func refusal(_ place: String, _ format: PushableImage.Format = .docker) -> String {
        do { _ = try PushableImage.read(place, format: format, scratch: scratch) } catch { return "\(error)" }
        return ""
      }
      #expect(refusal(layout) == "")
      #expect(refusal(layout + ":tool").contains("no image 'tool' in \(layout):tool; it has: other, tools"))
      #expect(refusal(scratch + "/nothing").contains("is neither an OCI image layout nor a docker-archive: nothing is there"))
      #expect(refusal(archive, .oci).contains("push it with --format docker"))
      // One bit in the layer of the archive, which is its first member.
      let file = try FileHandle(forUpdating: URL(fileURLWithPath: archive))
      try file.seek(toOffset: 100_000)
      try file.write(contentsOf: Data([0xFF, 0x00, 0xFF]))
      try file.close()
      #expect(refusal(archive).contains("is not the diff id \(block.layers[0].diffID)"))
      try Data("{}".utf8).write(to: URL(fileURLWithPath: layout + "/blobs/sha256/" + block.layers[0].blob.digest.hex + ".new"))
      unlink(layout + "/blobs/sha256/" + block.layers[0].blob.digest.hex)
      #expect(refusal(layout + ":tools").contains("its layer sha256:\(block.layers[0].blob.digest.short) is not in the layout"))
    }
  }

  /// Layouts of others, as `block inspect` and `preload` take them.
  @Test(arguments: ["attestation", "without-config", "without-created-by"]) func imagesOfOthersCanBePushed(_ fixture: String) throws {
    let fixtures = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path + "/OCIImageTests/Fixtures/"
    for format in PushableImage.Format.allCases {
      let image = try PushableImage.read(fixtures + fixture, format: format, scratch: "/nonexistent")
      #expect(image.manifest.mediaType == (format == .oci ? MediaType.ociManifest : MediaType.dockerManifest))
      #expect(image.blobs.count == 2)
    }
  }

  @Test func credentialsComeFromPrivatePlaces() throws {
    try withScratchDirectory { scratch in
      let path = scratch + "/auth.json"
      let registry = try RegistryName("127.0.0.1:5000")
      let packed = Data("me:pass:word".utf8).base64EncodedString()
      try Data("{\"auths\":{\"127.0.0.1:5000\":{\"auth\":\"\(packed)\"}}}".utf8).write(to: URL(fileURLWithPath: path))
      chmod(path, 0o600)
      #expect(try RegistryAccount.credential(for: registry, authFile: path, environment: [:]) == .basic(user: "me", password: Secret("pass:word")))
      chmod(path, 0o640)
      #expect(throws: ToolboxError.self) { try RegistryAccount.credential(for: registry, authFile: path, environment: [:]) }
      #expect(
        try RegistryAccount.credential(for: registry, authFile: nil, environment: ["BLOCKFARM_REGISTRY_TOKEN": "t"]) == .bearer(Secret("t")))
      #expect(throws: ToolboxError.self) {
        try RegistryAccount.credential(for: registry, authFile: nil, environment: ["BLOCKFARM_REGISTRY_USER": "me"])
      }
      #expect(try RegistryAccount.credential(for: registry, authFile: nil, environment: [:]) == .anonymous)
    }
  }

  private static let authFile = Data(
    #"""
    {"auths": {
      "https://index.docker.io/v1/": {"auth": "aHViOjE="}, "https://index.docker.io/v1/access-token": {"auth": "dG9rZW46MQ=="},
      "https://V2.example:5000/v2/": {"auth": "djI6MQ=="}, "http://bare.example": {"auth": "YmFyZTox"},
      "https://both.example": {"auth": "dXJsOjE="}, "both.example": {"auth": "bmFtZTox"},
      "helper.example": {}, "https://helper.example/v1/": {"auth": "aGVscGVyOjE="}, "empty.example": {}, "space.example/mine": {"auth": "c3BhY2U6MQ=="}
    }}
    """#.utf8)

  @Test(arguments: [
    "docker.io": "hub", "index.docker.io": "hub", "registry-1.docker.io": "hub", "v2.example:5000": "v2", "bare.example": "bare",
    "both.example": "name", "helper.example": "helper", "v2.example": nil, "empty.example": nil, "space.example": nil, "example": nil,
  ]) func keysOfAuthFilesAreReadAsDockerWritesThem(registry: String, user: String?) throws {
    try withScratchDirectory { scratch in
      let path = scratch + "/auth.json"
      try Self.authFile.write(to: URL(fileURLWithPath: path))
      chmod(path, 0o600)
      func credential() throws -> RegistryCredential { try RegistryAccount.credential(for: RegistryName(registry), authFile: path, environment: [:]) }
      if let user {
        #expect(try credential() == .basic(user: user, password: Secret("1")))
      } else {
        let error = #expect(throws: ToolboxError.self) { try credential() }
        #expect("\(error as Any)".contains("has nothing for '\(registry)'; it has both.example, empty.example (without 'auth'), helper.example"))
      }
    }
  }

  @Test(arguments: [
    ["BLOCKFARM_REGISTRY_TOKEN": "a-token"], ["BLOCKFARM_REGISTRY_USER": "me", "BLOCKFARM_REGISTRY_PASSWORD": "a-token"],
  ]) func credentialOfTheEnvironmentIsOneRegistrys(environment: [String: String]) async throws {
    var push = StandalonePush(image: "/nothing", destinations: ["a.example/app:1", "b.example/app:1"])
    func refusal() async -> String {
      do { _ = try await push.run(environment: environment) } catch { return "\(error)" }
      return ""
    }
    let several = await refusal()
    #expect(several.contains("shown to several registries: a.example, b.example; use --authfile") && !several.contains("a-token"), "\(several)")
    // One registry is gone on with, and so are several without a credential.
    push.destinations[1] = "a.example/other:1"
    #expect(await refusal().contains("/nothing"))
    let registries: Set = [try RegistryName("a.example"), try RegistryName("b.example")]
    #expect(
      try RegistryAccount.credentials(for: registries, authFile: nil, environment: [:])
        == Dictionary(uniqueKeysWithValues: registries.map { ($0, .anonymous) }))
  }
}
