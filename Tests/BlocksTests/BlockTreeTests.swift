import BuildModel
import Foundation
import OCIImage
import TestFiles
import TestPeers
import Testing

@Suite struct BlockTreeTests {
  /// The property that defines a block: its tree is what a plain unpack of its packages gives, entry by entry.
  @Test func equalsAPlainUnpack() throws {
    try withScratchDirectory { scratch in
      let feed = try TestFeed(in: scratch)
      let (result, store) = try feed.assemble(TestFeed.spec(), in: scratch + "/work")
      let layer = try #require(result.layers.first)
      let expected = try TreeEntry.list("ipk", feed.files).map(\.clamped)
      let found = try TreeEntry.list("tar", [store.path(layer.blob.digest)])
      #expect(expected.count > 30)
      #expect(found.map(\.path) == expected.map(\.path))
      for (one, other) in zip(found, expected) { #expect(one == other) }
    }
  }

  /// Order, parents and headers, seen by tar itself.
  @Test func layerIsSortedAndListsParents() throws {
    try withScratchDirectory { scratch in
      let (result, store) = try TestFeed(in: scratch).assemble(TestFeed.spec(), in: scratch + "/work")
      let layer = try #require(result.layers.first)
      let text = try Tool.run("tar", "--quoting-style=literal", "-tzf", store.path(layer.blob.digest))
      let names = text.split(separator: "\n").map { $0.hasSuffix("/") ? String($0.dropLast()) : String($0) }
      #expect(
        names
          == names.sorted {
            $0.split(separator: "/").lexicographicallyPrecedes($1.split(separator: "/")) { $0.utf8.lexicographicallyPrecedes($1.utf8) }
          })
      #expect(Set(names).count == names.count)
      for name in names {
        let parent = name.split(separator: "/").dropLast().joined(separator: "/")
        #expect(parent.isEmpty || names.contains(parent), "\(name)")
      }
    }
  }

  @Test func sameBytesEverywhere() throws {
    try withScratchDirectory { scratch in
      let feed = try TestFeed(in: scratch)
      let first = try feed.assemble(TestFeed.spec(), in: scratch + "/one").0
      // Process-wide, but nothing else in these tests depends on either.
      let mask = umask(0o077)
      setenv("TZ", "Pacific/Auckland", 1)
      defer {
        umask(mask)
        unsetenv("TZ")
      }
      let elsewhere = try TestFeed(in: scratch + "/a copy elsewhere")
      let second = try elsewhere.assemble(TestFeed.spec(), in: scratch + "/a copy elsewhere/work").0
      #expect(first == second)
    }
  }

  /// Known digests of `Fixtures/feed.json`. The gzip bytes, and so the manifests, depend on libdeflate: theirs are of Debian 12's version.
  @Test func knownDigests() throws {
    try withScratchDirectory { scratch in
      let result = try TestFeed(in: scratch).assemble(TestFeed.spec(), in: scratch + "/work").0
      #expect(result.layers.first?.diffID.hex == "af15eb1d58515ec94cb5373d1fee0cc3545e3e0744071022aef13c46ab72fe9f")
      #expect(result.config.digest.hex == "0cb8e9af44b9b8faaed77ca3008358ac854da03134b7b0438fa8a36ab4ff5ecd")
      if GzipChunks.identity == "libdeflate-1.14-level-4-chunk-1048576" {
        #expect(result.manifest.digest.hex == "8f8deab75df27d65f4199a062d47a277168b72ad5bc01a8cd9af979b2be2647a")
        #expect(result.dockerManifest.digest.hex == "0acd2d7c3b49b5b7fabcfc74e16d8a0e61f883f0041fc3068502666514ea6928")
      }
    }
  }

  @Test func choosesArchitectureThenVersion() throws {
    try withScratchDirectory { scratch in
      let result = try TestFeed(in: scratch).assemble(TestFeed.spec(["firmware"]), in: scratch + "/work").0
      #expect(result.packages.map(\.version) == ["1.10-r0"])
      #expect(result.packages.map(\.architecture) == ["acme_board"])
    }
  }

  @Test func reportsScriptsAndIdleRecipes() throws {
    try withScratchDirectory { scratch in
      let spec = try TestFeed.spec(recipes: ["base", "acme-firmware", "idle-recipe"])
      let result = try TestFeed(in: scratch).assemble(spec, in: scratch + "/work").0
      #expect(result.notices.count == 2)
      #expect(result.notices.contains { $0.contains("base-files") && $0.contains("postinst") })
      #expect(result.notices.contains { $0.contains("idle-recipe") && !$0.contains("acme-firmware") })
    }
  }

  @Test func leavesNoScratchFiles() throws {
    try withScratchDirectory { scratch in
      _ = try TestFeed(in: scratch).assemble(TestFeed.spec(), in: scratch + "/work")
      #expect(try FileManager.default.contentsOfDirectory(atPath: scratch + "/work") == ["blobs"])
      #expect(try FileManager.default.contentsOfDirectory(atPath: scratch + "/work/blobs/ingest").isEmpty)
    }
  }
}
