import BuildModel
import Foundation
import OCIImage
import TestFiles
import TestPeers
import Testing

/// skopeo, umoci, docker-registry and dockerd as judges of a block.
@Suite(.serialized) struct ContainerToolTests {
  static let isRoot = geteuid() == 0

  @Test(arguments: Layering.allCases) func skopeoReadsTheLayout(_ layering: Layering) throws {
    try withScratchDirectory { scratch in
      let spec = try TestFeed.spec(layering: layering)
      let (result, store) = try TestFeed(in: scratch).assemble(spec, in: scratch + "/work")
      try writeLayout(result, store: store, to: scratch + "/oci")
      struct Inspection: Decodable {
        var Digest: String
        var Architecture: String
        var Labels: [String: String]
        var Layers: [String]
      }
      let text = try Tool.run("skopeo", "inspect", "oci:\(scratch)/oci:block")
      let found = try JSONDecoder().decode(Inspection.self, from: Data(text.utf8))
      #expect(found.Digest == result.manifest.digest.description)
      #expect(found.Architecture == "arm64")
      #expect(found.Labels == spec.labels)
      #expect(found.Layers == result.layers.map(\.blob.digest.description))
    }
  }

  @Test(.enabled(if: isRoot, "owners and capabilities can only be set by root"), arguments: Layering.allCases)
  func umociUnpacksTheSameTree(_ layering: Layering) throws {
    try withScratchDirectory { scratch in
      let feed = try TestFeed(in: scratch)
      let (result, store) = try feed.assemble(TestFeed.spec(layering: layering), in: scratch + "/work")
      try writeLayout(result, store: store, to: scratch + "/oci")
      try Tool.run("umoci", "unpack", "--image", scratch + "/oci:block", scratch + "/bundle")
      let expected = try TreeEntry.list("ipk", feed.files).map { $0.without(mtime: true) }
      let found = try TreeEntry.list("dir", [scratch + "/bundle/rootfs"]).map { $0.without(mtime: true) }
      #expect(found.map(\.path) == expected.map(\.path))
      for (one, other) in zip(found, expected) { #expect(one == other) }
    }
  }

  struct Inspection: Decodable {
    struct Config: Decodable { var Labels: [String: String] }
    var Id: String
    var Architecture: String
    var Variant: String?
    var Config: Config
  }

  /// The tree that `docker export` gives, and what the daemon says about the image.
  func exported(_ docker: DockerDaemon, _ image: String, scratch: String) throws -> ([TreeEntry], Inspection) {
    let text = try Tool.run(docker.words + ["inspect", image])
    let inspection = try #require(try JSONDecoder().decode([Inspection].self, from: Data(text.utf8)).first)
    let container = try Tool.run(docker.words + ["create", "--platform", "linux/arm64/v8", image, "none"]).trimmingCharacters(
      in: .whitespacesAndNewlines)
    try Tool.run(docker.words + ["export", "-o", scratch + "/export.tar", container])
    return (try TreeEntry.list("tar", [scratch + "/export.tar"]), inspection)
  }

  /// Compares an exported container with the packages. The engine adds its own mount points, and exports no attributes but capabilities.
  func check(_ found: ([TreeEntry], Inspection), feed: TestFeed, result: BlockResult, spec: BlockSpec) throws {
    let expected = try TreeEntry.list("ipk", feed.files).map { $0.without(mtime: true, attributesBut: "security.capability") }
    let paths = Set(expected.map(\.path))
    let (tree, inspection) = found
    let added = tree.filter { !paths.contains($0.path) }.map(\.path)
    let mountPoints = [".dockerenv", "dev", "etc/hostname", "etc/hosts", "etc/mtab", "etc/resolv.conf", "proc", "sys"]
    #expect(added.allSatisfy { path in mountPoints.contains { path == $0 || path.hasPrefix($0 + "/") } }, "\(added)")
    let kept = tree.filter { paths.contains($0.path) }.map { $0.without(mtime: true, attributesBut: "security.capability") }
    #expect(kept.map(\.path) == expected.map(\.path))
    for (one, other) in zip(kept, expected) { #expect(one == other) }
    #expect(inspection.Id == result.config.digest.description)
    #expect(inspection.Config.Labels == spec.labels)
    #expect(inspection.Architecture == "arm64")
    #expect(inspection.Variant == "v8")
  }

  @Test(.enabled(if: isRoot, "dockerd needs root"), arguments: Layering.allCases)
  func dockerLoadsAndExportsTheSameTree(_ layering: Layering) throws {
    try withScratchDirectory { scratch in
      let feed = try TestFeed(in: scratch)
      let spec = try TestFeed.spec(layering: layering)
      let (result, store) = try feed.assemble(spec, in: scratch + "/work")
      try DockerArchive.write(result, from: store, epoch: TestFeed.epoch, to: scratch + "/block.docker")
      try DockerArchive.write(result, from: store, epoch: TestFeed.epoch, to: scratch + "/again.docker")
      try Tool.run("cmp", scratch + "/block.docker", scratch + "/again.docker")
      try withDockerDaemon { docker in
        try Tool.run(docker.words + ["load", "-i", scratch + "/block.docker"])
        try check(exported(docker, spec.reference, scratch: scratch), feed: feed, result: result, spec: spec)
      }
    }
  }

  @Test(.enabled(if: isRoot, "dockerd needs root"), arguments: Layering.allCases)
  func registryTakesAndDockerPullsTheDockerManifest(_ layering: Layering) throws {
    try withScratchDirectory { scratch in
      let feed = try TestFeed(in: scratch)
      let spec = try TestFeed.spec(layering: layering)
      let (result, store) = try feed.assemble(spec, in: scratch + "/work")
      try withDockerRegistry(in: scratch) { registry in
        let base = "http://\(registry.address)/v2/acme/tools"
        for blob in [result.config] + result.layers.map(\.blob) {
          let head = try Tool.run("curl", "-sfD-", "-o", "/dev/null", "-X", "POST", base + "/blobs/uploads/")
          let line = try #require(head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("location:") })
          let location = line.dropFirst("location:".count).trimmingCharacters(in: .whitespaces)
          try Tool.run(
            "curl", "-sf", "-X", "PUT", "-H", "Content-Type: application/octet-stream", "-T", store.path(blob.digest),
            "\(location)&digest=\(blob.digest)")
        }
        try Tool.run(
          "curl", "-sf", "-X", "PUT", "-H", "Content-Type: application/vnd.docker.distribution.manifest.v2+json", "--data-binary",
          "@" + store.path(result.dockerManifest.digest), base + "/manifests/1.0")
        try withDockerDaemon { docker in
          let image = "\(registry.address)/acme/tools@\(result.dockerManifest.digest)"
          try Tool.run(docker.words + ["pull", "--platform", "linux/arm64/v8", image])
          try check(exported(docker, image, scratch: scratch), feed: feed, result: result, spec: spec)
        }
      }
    }
  }
}
