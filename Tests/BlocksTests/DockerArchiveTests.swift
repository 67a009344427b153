import BlobStore
import Blocks
import Feed
import Foundation
import OCIImage
import TestFiles
import Testing

/// The two ways to a docker-archive.
struct DockerArchiveTests {
  /// Straight from the packages, or from the compressed block: the same bytes, the same image id.
  @Test func isTheSameWithAndWithoutTheBlock() throws {
    try withScratchDirectory { scratch in
      let test = try TestFeed(in: scratch)
      let (block, store) = try test.assemble(TestFeed.spec(), in: scratch + "/work")
      try DockerArchive.write(block, from: store, epoch: TestFeed.epoch, to: scratch + "/from-block.docker")
      let feed = try PackageFeed(root: test.root, architectures: TestFeed.architectures)
      let assembler = BlockAssembler(feed: feed, store: store, scratch: scratch + "/work", epoch: TestFeed.epoch)
      let made = try assembler.archive(TestFeed.spec(), to: scratch + "/alone.docker")
      #expect(made.id == block.config.digest)
      #expect(made.notices == block.notices)
      #expect(made.packages == block.packages)
      let alone = try Data(contentsOf: URL(filePath: scratch + "/alone.docker"))
      #expect(alone.count > 10_000)
      #expect(alone == (try Data(contentsOf: URL(filePath: scratch + "/from-block.docker"))))
    }
  }

  /// A package that is missing leaves no archive behind, whole or in part.
  @Test func leavesNothingWhenItFails() throws {
    try withScratchDirectory { scratch in
      let test = try TestFeed(in: scratch)
      let feed = try PackageFeed(root: test.root, architectures: TestFeed.architectures)
      try FileManager.default.createDirectory(atPath: scratch + "/out", withIntermediateDirectories: true)
      let assembler = BlockAssembler(feed: feed, store: try BlobStore(root: scratch + "/blobs"), scratch: scratch, epoch: TestFeed.epoch)
      #expect(throws: BlocksError.self) { try assembler.archive(TestFeed.spec(["no-such-package"]), to: scratch + "/out/block.docker") }
      #expect(try FileManager.default.contentsOfDirectory(atPath: scratch + "/out").isEmpty)
    }
  }
}
