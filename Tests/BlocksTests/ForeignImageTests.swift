import BuildModel
import Foundation
import OCIImage
import TestFiles
import TestPeers
import Testing

/// Images that other programs wrote from ours are read, and are the same.
@Suite(.serialized) struct ForeignImageTests {
  static let isRoot = geteuid() == 0

  func withBlock(_ layering: Layering = .byArchitecture, _ body: (String, BlockResult, ImageTree) throws -> Void) throws {
    try withScratchDirectory { scratch in
      let (result, store) = try TestFeed(in: scratch).assemble(TestFeed.spec(layering: layering), in: scratch + "/work")
      try writeLayout(result, store: store, to: scratch + "/oci")
      try DockerArchive.write(result, from: store, epoch: TestFeed.epoch, to: scratch + "/block.docker")
      try body(scratch, result, try tree(ImageLayoutReader.images(in: scratch + "/oci"), result))
    }
  }

  func tree(_ images: StoredImages, _ result: BlockResult) throws -> ImageTree {
    let image = try images.only()
    #expect(image.id == result.config.digest)
    #expect(image.config.labels == (try TestFeed.spec().labels))
    #expect(image.layers.map(\.diffID) == result.layers.map(\.diffID))
    return try ImageTree(image)
  }

  @Test func ownArchive() throws {
    try withBlock { scratch, result, expected in
      let found = try tree(DockerArchiveReader.images(in: scratch + "/block.docker"), result)
      #expect(found.entries == expected.entries)
    }
  }

  @Test func skopeoWritesArchivesAndLayouts() throws {
    try withBlock { scratch, result, expected in
      let copy = ["skopeo", "--insecure-policy", "copy", "-q", "--format", "oci"]
      try Tool.run(["skopeo", "--insecure-policy", "copy", "-q", "oci:\(scratch)/oci:block", "docker-archive:\(scratch)/s.docker:acme/tools:1"])
      let images = try DockerArchiveReader.images(in: scratch + "/s.docker")
      #expect(try images.only().names.first?.hasSuffix("acme/tools:1") == true)
      #expect(try ImageTree(images.only()).entries == expected.entries)
      try Tool.run(copy + ["docker-archive:\(scratch)/block.docker", "oci:\(scratch)/plain:x"])
      #expect(try ImageTree(ImageLayoutReader.images(in: scratch + "/plain").only()).entries == expected.entries)
    }
  }

  @Test(.enabled(if: isRoot, "dockerd needs root")) func dockerSaves() throws {
    try withBlock { scratch, result, expected in
      try withDockerDaemon { docker in
        try Tool.run(docker.words + ["load", "-i", scratch + "/block.docker"])
        try Tool.run(docker.words + ["save", "-o", scratch + "/saved.docker", result.reference])
        let found = try tree(DockerArchiveReader.images(in: scratch + "/saved.docker"), result)
        #expect(found.entries == expected.entries)
      }
    }
  }

  /// Whiteouts and opaque directories, as umoci understands them.
  @Test(.enabled(if: isRoot, "umoci needs root")) func whiteouts() throws {
    try withScratchDirectory { scratch in
      try Tool.run("umoci", "init", "--layout", scratch + "/oci")
      try Tool.run("umoci", "new", "--image", scratch + "/oci:x")
      let script = """
        set -e; cd '\(scratch)'; mkdir -p one/a/b one/o/p two/a two/o three
        echo 1 > one/a/b/f; echo 2 > one/a/g; echo 3 > one/o/p/h; echo 4 > one/file; ln one/file one/same; mkdir one/becomes; echo 5 > one/becomes/x
        touch two/a/.wh.b two/o/.wh..wh..opq two/.wh.file; echo 6 > two/o/new; echo 7 > two/becomes; echo 8 > three/file
        for layer in one two three; do
          tar -C $layer -cf $layer.tar .
          umoci raw add-layer --image oci:x $layer.tar
        done
        umoci unpack --image oci:x bundle
        """
      try Tool.run("bash", "-c", script)
      let expected = try TreeEntry.list("dir", [scratch + "/bundle/rootfs"])
      let tree = try ImageTree(ImageLayoutReader.images(in: scratch + "/oci").only())
      #expect(tree.entries.keys.map { String(decoding: $0, as: UTF8.self) }.sorted() == expected.map(\.path).sorted())
      #expect(!tree.entries.keys.contains(Array("a/b/f".utf8)))
      for entry in expected {
        let own = try #require(tree.entries[Array(entry.path.utf8)])
        if case .file(let size, let digest) = own.kind { #expect(size == entry.size && digest.hex == entry.sha256) }
        #expect(String(decoding: own.firstName, as: UTF8.self) == entry.path)
      }
    }
  }
}
