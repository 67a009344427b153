import BuildModel
import Foundation
import TestFiles
import TestPeers
import Testing

@testable import OCIImage

/// Reading layouts of others, with what lies in them beside images.
@Suite struct ImageLayoutTests {
  func withLayout<Value>(_ body: (TestLayout) throws -> Value) throws -> Value {
    try withScratchDirectory { try body(try TestLayout(in: $0)) }
  }

  static let fixtures = Fixtures().directory + "/"

  @Test(arguments: [("attestation", "1.0"), ("without-config", "v1"), ("without-created-by", "v1")])
  func fixturesAreRead(_ fixture: String, _ name: String) throws {
    var images = try ImageLayoutReader.images(in: Self.fixtures + fixture)
    let image = try images.select(name)
    #expect(image.names == [name])
    #expect(image.config.platform == Platform(os: "linux", architecture: "arm64", variant: nil))
    #expect(images.notes == (fixture == "attestation" ? ["left out: sha256:be322a696ca8 is an attestation"] : []))
    #expect(try ImageTree(image).layerEntries == [4])
    // Without a name it is the only one.
    #expect(try images.select().id == image.id)
  }

  @Test func aConfigurationMustBeWhatItsDigestSays() throws {
    var images = try ImageLayoutReader.images(in: Self.fixtures + "other-config")
    let error = #expect(throws: OCIImageError.self) { try images.select("v1") }
    #expect(error?.description.contains("its content is not sha256:57bdd99f18ac014bd12aa51e18879622ca7d999190bef0ad47daae2737350f4a") == true)
    #expect(error?.blame == .request)
  }

  /// What registries and builders put beside images.
  @Test func neighboursAreLeftOutAndNamed() throws {
    try withLayout { layout in
      let image = try layout.image("arm64")
      let signature = TestLayout.manifest(
        try layout.put(MediaType.ociConfig, TestLayout.config("arm64", of: [[1]])),
        [try layout.put("application/vnd.dev.cosign.simplesigning.v1+json", [1])])
      let artifact = TestLayout.manifest(
        try layout.put("application/vnd.oci.empty.v1+json", Array("{}".utf8)), [], #","artifactType":"application/spdx+json""#)
      let helm = TestLayout.manifest(try layout.put("application/vnd.cncf.helm.config.v1+json", [2]), [])
      try layout.writeIndex([
        try layout.put(MediaType.ociManifest, signature), try layout.put(MediaType.ociManifest, artifact, TestLayout.name("sbom")),
        try layout.put(MediaType.ociManifest, helm), TestLayout.descriptor(MediaType.ociManifest, image, TestLayout.name("one")),
        TestLayout.descriptor("application/vnd.acme.thing+json", [3]),
        #"{"mediaType":"x","digest":"sha512:00","size":"much"}"#, #"{"annotations":7}"#,
        TestLayout.descriptor(MediaType.ociManifest, [4], #","annotations":{"vnd.docker.reference.type":"attestation-manifest"}"#),
      ])
      var images = try ImageLayoutReader.images(in: layout.directory)
      #expect(try images.select().names == ["one"])
      func short(_ bytes: [UInt8]) -> String { String(StoredImageTests.hex(bytes).prefix(12)) }
      #expect(
        images.notes == [
          "left out: sha256:\(short(signature)) holds 'application/vnd.dev.cosign.simplesigning.v1+json', not layers of a file system",
          "left out: sha256:\(short(artifact)) is an artifact of type 'application/spdx+json'",
          "left out: sha256:\(short(helm)) has a configuration of type 'application/vnd.cncf.helm.config.v1+json', not an image's",
          "left out: sha256:\(short([3])) is 'application/vnd.acme.thing+json', not an image",
          "left out: an entry with the digest 'sha512:00', which is not a sha256", "left out: an entry with the digest '', which is not a sha256",
          "left out: sha256:\(short([4])) is an attestation",
        ])
      let error = #expect(throws: OCIImageError.self) { try images.select("sbom") }
      #expect(error?.description.contains("no image 'sbom'") == true && error?.description.contains("it has: one; left out: sha256:") == true)
    }
  }

  /// What `skopeo copy --multi-arch index-only` and the like leave.
  @Test(arguments: ["manifest", "config", "layer"]) func absentPlatformsAreNoMatterOfTheOthers(_ absent: String) throws {
    try withLayout { layout in
      let wanted = try layout.image("arm64")
      let otherLayer = try TarReaderTests.tar([TarReaderTests.file("b", "other")])
      let otherConfig = TestLayout.config("amd64", of: [otherLayer])
      let other = TestLayout.manifest(try layout.put(MediaType.ociConfig, otherConfig), [try layout.put(MediaType.ociLayer, otherLayer)])
      let list = TestLayout.index([
        try layout.put(MediaType.ociManifest, other, TestLayout.platform("amd64")),
        TestLayout.descriptor(MediaType.ociManifest, wanted, TestLayout.platform("arm64")),
      ])
      try layout.writeIndex([try layout.put(MediaType.ociIndex, list, TestLayout.name("many"))])
      try layout.remove(absent == "manifest" ? other : absent == "config" ? otherConfig : otherLayer)
      var images = try ImageLayoutReader.images(in: layout.directory)
      #expect(images.groups.map(\.count) == [2])
      let layer = "its layer sha256:\(StoredImageTests.hex(otherLayer).prefix(12))"
      let what = ["manifest": "its manifest", "config": "its configuration", "layer": layer]
      #expect(try images.select("many").config.platform?.architecture == "arm64")
      #expect(images.notes == ["left out: many (linux/amd64): \(what[absent] ?? "") is not in the layout"])
      let error = #expect(throws: OCIImageError.self) { try images.select("many", platform: Architecture.amd64.platform) }
      #expect(error?.description.contains("many (linux/amd64)") == true && error?.description.contains("is not in the layout") == true)
    }
  }

  @Test func ofSeveralPlatformsOneMustBeSaid() throws {
    try withLayout { layout in
      let entries = try ["amd64", "arm64", "arm"].map { TestLayout.descriptor(MediaType.ociManifest, try layout.image($0), TestLayout.platform($0)) }
      try layout.writeIndex([try layout.put(MediaType.ociIndex, TestLayout.index(entries), TestLayout.name("many"))])
      var images = try ImageLayoutReader.images(in: layout.directory)
      let error = #expect(throws: OCIImageError.self) { try images.select("many") }
      #expect(error?.description.contains("3 images in \(layout.directory), name one with --platform") == true, "\(error as Any)")
      #expect(try images.select("many", platform: Architecture.aarch64.platform).config.platform?.architecture == "arm64")
      // A variant that only one of both names decides nothing.
      #expect(try images.select(platform: Architecture.armv7hf.platform).config.platform?.architecture == "arm")
      #expect { _ = try images.select("many", platform: Architecture.i386.platform) } throws: {
        "\($0)".contains("no image for linux/386") && "\($0)".contains("many (linux/amd64), many (linux/arm64), many (linux/arm)")
      }
    }
  }

  @Test func imagesWithoutANameAreKnownByTheirDigest() throws {
    try withLayout { layout in
      let (one, two) = (try layout.image("arm64"), try layout.image("amd64"))
      try layout.writeIndex([one, two].map { TestLayout.descriptor(MediaType.ociManifest, $0) })
      var images = try ImageLayoutReader.images(in: layout.directory)
      let digest = "sha256:" + StoredImageTests.hex(two)
      #expect(try images.select(digest).config.platform?.architecture == "amd64")
      #expect(try images.select("sha256:" + StoredImageTests.hex(TestLayout.config("arm64"))).config.platform?.architecture == "arm64")
      #expect { _ = try images.select() } throws: { "\($0)".contains("2 images") && "\($0)".contains(digest) }
    }
  }

  @Test func oneImageUnderTwoNamesIsOne() throws {
    try withLayout { layout in
      let image = try layout.image("arm64")
      try layout.writeIndex(["one", "two"].map { TestLayout.descriptor(MediaType.ociManifest, image, TestLayout.name($0)) })
      var images = try ImageLayoutReader.images(in: layout.directory)
      #expect(images.groups.count == 2)
      #expect(try images.select("two").names == ["two"])
      #expect(try images.select().names == ["one"])
    }
  }

  /// Members that OCI calls optional, or that its readers do not need.
  @Test func membersMayBeMissing() throws {
    try withLayout { layout in
      let image = try layout.image("arm64")
      try layout.writeIndex([#"{"digest":"sha256:\#(StoredImageTests.hex(image))"}"#])
      #expect(try ImageLayoutReader.images(in: layout.directory).only().config.platform?.architecture == "arm64")
      #expect(try ImageLayoutReader.images(in: layout.directory).only().manifest?.mediaType == MediaType.ociManifest)
    }
  }

  @Test(arguments: [
    ("{", "index.json is malformed: line 1 is not JSON"), ("{}", "index.json is malformed: it has no 'manifests'"),
    (#"{"manifests":[],"config":{}}"#, "an index and an image manifest at once"), (#"{"manifests":7}"#, "'manifests' must be a list"),
    (#"{"manifests":[]}"#, "it has no image"),
  ]) func brokenIndexesAreRefused(_ text: String, _ words: String) throws {
    try withLayout { layout in
      try Data(text.utf8).write(to: URL(filePath: layout.directory + "/index.json"))
      let error = #expect(throws: OCIImageError.self) { try ImageLayoutReader.images(in: layout.directory).only() }
      #expect(error?.description.contains(words) == true && error?.blame == .request, "\(error as Any)")
    }
  }

  @Test(arguments: [
    "config", "manifest", "type", "kind", "both", "layer type", "layer digest", "layer size", "loop", "link", "version", "many",
  ]) func damagedLayoutsAreRefused(_ kind: String) throws {
    try withLayout { layout in
      var image = try layout.image("arm64")
      let blobs = layout.directory + "/blobs/sha256/"
      var type = MediaType.ociManifest
      var words = ""
      switch kind {
      case "config":
        try Data(TestLayout.config("amd64")).write(to: URL(filePath: blobs + StoredImageTests.hex(TestLayout.config("arm64"))))
        words = "its content is not sha256:"
      case "manifest":
        try Data(image + [10]).write(to: URL(filePath: blobs + StoredImageTests.hex(image)))
        words = "its content is not sha256:"
      case "type":
        image = Array(#"{"mediaType":"\#(MediaType.dockerManifest)","#.utf8) + image.dropFirst()
        words = "it calls itself"
      case "kind":
        type = MediaType.ociIndex
        words = "has no 'manifests'"
      case "both":
        image = Array(String(decoding: image.dropLast(), as: UTF8.self).utf8) + Array(#","manifests":[]}"#.utf8)
        words = "an index and an image manifest at once"
      case "layer type":
        let config = try layout.put(MediaType.ociConfig, TestLayout.config("arm64", of: [TestLayout.layer, [1]]))
        image = TestLayout.manifest(config, [try layout.put(MediaType.ociLayer, TestLayout.layer), try layout.put("application/x", [1])])
        words = "layer of the unknown type 'application/x'"
      case "layer digest":
        image = TestLayout.manifest(try layout.put(MediaType.ociConfig, TestLayout.config("arm64")), [#"{"digest":"md5:1"}"#])
        words = "which is not a sha256"
      case "layer size":
        try Data(TestLayout.layer + [0]).write(to: URL(filePath: blobs + StoredImageTests.hex(TestLayout.layer)))
        words = "bytes instead of"
      case "loop":
        // Six indexes within each other.
        for _ in 0..<6 {
          let isIndex = image.starts(with: #"{"schemaVersion":2,"m"#.utf8)
          image = TestLayout.index([try layout.put(isIndex ? MediaType.ociIndex : type, image)])
        }
        type = MediaType.ociIndex
        words = "within too many indexes"
      case "link":
        let path = blobs + StoredImageTests.hex(TestLayout.layer)
        try FileManager.default.moveItem(atPath: path, toPath: layout.directory + "/elsewhere")
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "../../elsewhere")
        words = "it is a symbolic link"
      case "version":
        try Data(#"{"imageLayoutVersion":"2.0.0"}"#.utf8).write(to: URL(filePath: layout.directory + "/oci-layout"))
        words = "it is of version '2.0.0'"
      default: words = "more than 1000 entries"
      }
      let entry = kind == "manifest" ? TestLayout.descriptor(type, image) : try layout.put(type, image)
      try layout.writeIndex([String](repeating: entry, count: kind == "many" ? 1001 : 1))
      let error = #expect(throws: OCIImageError.self) { _ = try ImageTree(ImageLayoutReader.images(in: layout.directory).only()) }
      #expect(error?.description.contains(words) == true && error?.blame == .request, "\(error as Any)")
    }
  }

  @Test func aDirectoryOfSomethingElseIsNamed() throws {
    try withScratchDirectory { root in
      let error = #expect(throws: OCIImageError.self) { try ImageLayoutReader.images(in: root) }
      #expect(error?.description.hasPrefix("\(root) is no OCI image layout: it has no index.json; ") == true)
    }
  }

  /// A layout in a tar, as `skopeo copy … oci-archive:` and buildx write it.
  @Test func archivesOfLayoutsAreRead() throws {
    try withLayout { layout in
      let image = try layout.image("arm64")
      try layout.writeIndex([TestLayout.descriptor(MediaType.ociManifest, image, TestLayout.name("one"))])
      try Tool.run("tar", "-C", layout.directory, "-cf", layout.directory + ".tar", ".")
      let found = try DockerArchiveReader.images(in: layout.directory + ".tar").only()
      #expect(found.names == ["one"] && found.manifestBytes == image)
      #expect(try ImageTree(found).entries.count == 1)
    }
  }
}
