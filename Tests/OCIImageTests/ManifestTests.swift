import BuildModel
import Foundation
import Testing

@testable import OCIImage

@Suite struct ManifestTests {
  let layer = Digest(hex: String(repeating: "a", count: 64))
  let config = Digest(hex: String(repeating: "b", count: 64))

  /// The very bytes: their digest names the image for good.
  @Test func bytes() throws {
    let config = BlobDescriptor(digest: try #require(config), size: 7)
    let layer = BlobDescriptor(digest: try #require(layer), size: 9)
    func expected(_ manifest: String, _ configType: String, _ layerType: String) -> String {
      #"{"config":{"digest":"\#(config.digest)","mediaType":"\#(configType)","size":7},"#
        + #""layers":[{"digest":"\#(layer.digest)","mediaType":"\#(layerType)","size":9}],"mediaType":"\#(manifest)","schemaVersion":2}"#
    }
    #expect(
      String(decoding: try ImageManifest(.oci, config: config, gzipLayers: [layer]).bytes(), as: UTF8.self)
        == expected(
          "application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.config.v1+json", "application/vnd.oci.image.layer.v1.tar+gzip"))
    #expect(
      String(decoding: try ImageManifest(.docker, config: config, gzipLayers: [layer]).bytes(), as: UTF8.self)
        == expected(
          "application/vnd.docker.distribution.manifest.v2+json", "application/vnd.docker.container.image.v1+json",
          "application/vnd.docker.image.rootfs.diff.tar.gzip"))
  }

  @Test func configBytes() throws {
    let one = ImageConfig(
      platform: Architecture.armv7hf.platform, labels: ["b": "x/y", "a": "ü"], diffIDs: [try #require(layer)], created: 1_700_000_000,
      createdBy: "test")
    #expect(
      String(decoding: try one.bytes(), as: UTF8.self)
        == #"{"architecture":"arm","config":{"Labels":{"a":"ü","b":"x/y"}},"created":"2023-11-14T22:13:20Z","#
        + #""history":[{"created":"2023-11-14T22:13:20Z","created_by":"test"}],"os":"linux","rootfs":{"diff_ids":["sha256:\#(try #require(layer).hex)"],"type":"layers"},"variant":"v7"}"#
    )
    let amd64 = ImageConfig(platform: Architecture.amd64.platform, labels: [:], diffIDs: [], created: 0, createdBy: "test")
    #expect(!String(decoding: try amd64.bytes(), as: UTF8.self).contains("variant"))
  }
}
