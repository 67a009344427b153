import Blocks
import BuildModel
import Foundation
import OCIImage
import TestFiles
import Testing

/// Building exactly what was built before, or nothing.
@Suite struct LockTests {
  func withLock(_ body: (String, TestFeed, BlockResult, BlockLock) throws -> Void) throws {
    try withScratchDirectory { scratch in
      let feed = try TestFeed(in: scratch)
      let result = try feed.assemble(TestFeed.spec(), in: scratch + "/first").0
      try body(scratch, feed, result, BlockLock(result, epoch: TestFeed.epoch))
    }
  }

  /// An error's text, or nil when the block was made and is the same.
  func rebuild(_ lock: BlockLock, _ feed: TestFeed, _ scratch: String, like result: BlockResult) throws -> String? {
    var spec = try TestFeed.spec()
    spec.lock = lock
    do {
      #expect(try feed.assemble(spec, in: scratch + "/again").0 == result)
      return nil
    } catch let error as BlocksError { return error.description }
  }

  @Test func survivesItsFile() throws {
    try withLock { scratch, feed, result, lock in
      let bytes = try lock.bytes()
      #expect(bytes == (try BlockLock(result, epoch: TestFeed.epoch).bytes()))
      #expect(!bytes.contains(UInt8(ascii: "\n")))
      #expect(try rebuild(try BlockLock.parse(bytes, file: "x"), feed, scratch, like: result) == nil)
      #expect(throws: BlocksError.self) { try BlockLock.parse(Array("{}".utf8), file: "x") }
    }
  }

  /// Newer packages do not get in; the locked one is still there.
  @Test func keepsOldVersions() throws {
    try withScratchDirectory { scratch in
      func package(_ version: String) -> String {
        #"{"name": "tool", "version": "\#(version)", "arch": "all", "entries": [{"path": "version", "type": "file", "text": "\#(version)"}]}"#
      }
      let old = try TestFeed(in: scratch + "/old", description: "[\(package("1.0"))]")
      let spec = try TestFeed.spec(["tool"])
      let result = try old.assemble(spec, in: scratch + "/a").0
      let new = try TestFeed(in: scratch + "/new", description: "[\(package("2.0")), \(package("1.0"))]")
      #expect(try new.assemble(spec, in: scratch + "/b").0 != result)
      var locked = spec
      locked.lock = BlockLock(result, epoch: TestFeed.epoch)
      #expect(try new.assemble(locked, in: scratch + "/c").0 == result)
      let without = try TestFeed(in: scratch + "/without", description: "[\(package("2.0"))]")
      let error = #expect(throws: BlocksError.self) { try without.assemble(locked, in: scratch + "/d") }
      for word in ["tool 1.0", result.packages[0].digest.description, "the feed has 2.0 (all, sha256:"] {
        #expect(error?.description.contains(word) == true, "\(error?.description ?? "")")
      }
    }
  }

  @Test(arguments: ["digest", "architecture", "compressor", "epoch", "block", "version", "more", "less", "twice"])
  func refuses(_ kind: String) throws {
    try withLock { scratch, feed, result, original in
      var lock = original
      let zeros = try #require(Digest(hex: String(repeating: "0", count: 64)))
      var words = ["acme-tools"]
      switch kind {
      case "digest":
        lock.packages[1].digest = zeros
        words += ["firmware", zeros.description, result.packages[1].digest.description]
      case "architecture":
        lock.packages[1].architecture = "all"
        words += ["firmware 1.10-r0 (all", "acme_board"]
      case "compressor":
        lock.compressor = "libdeflate-9.9-level-4-chunk-1048576"
        words += ["libdeflate-9.9", GzipChunks.identity]
      case "epoch":
        lock.sourceDateEpoch += 1
        words += ["1700000001", "1700000000"]
      case "block":
        lock.block = try BlockName("other")
        words.append("'other'")
      case "version":
        lock.version = 2
        words.append("version 2")
      case "more":
        lock.packages.append(.init(name: try PackageName("further"), version: "1", architecture: "all", digest: zeros))
        words.append("names further")
      case "less":
        lock.packages.removeLast()
        words.append("does not name tools")
      default:
        lock.packages.append(lock.packages[0])
        words.append("twice")
      }
      let text = try rebuild(lock, feed, scratch, like: result)
      for word in words { #expect(text?.contains(word) == true, "\(text ?? "no error")") }
    }
  }

  /// A docker-archive alone is not compressed, so any compressor will do.
  @Test func archivesNeedNoCompressor() throws {
    try withLock { scratch, feed, result, original in
      var spec = try TestFeed.spec()
      spec.lock = original
      spec.lock?.compressor = "another"
      let assembler = try feed.assembler(in: scratch + "/archive").0
      #expect(try assembler.archive(spec, to: scratch + "/block.docker").id == result.config.digest)
    }
  }
}
