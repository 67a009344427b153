import Foundation
import TestFiles
import TestPeers
import Testing

@testable import Preload

@Suite struct PreloaderTests {
  @Test(arguments: ["mbr", "gpt", "primary"])
  func growsTheDataPartitionAndLeavesTheInputAlone(layout: String) throws {
    try withScratchDirectory { scratch in
      let image = scratch + "/image"
      try Fixture.disk(image, layout, mebibytes: 8)
      let images = try Fixture.images(scratch + "/oci", mebibytes: 24)
      let before = try sha256(image)
      let report = try Preloader.preload(image: image, images: images, into: scratch + "/out", scratch: scratch, time: testTime)
      #expect(try sha256(image) == before)
      #expect(report.layersWritten == 3)
      #expect(report.layersSkipped == 1)
      let growth = report.sizeAfter - report.sizeBefore
      #expect(growth > 20 << 20)
      #expect(growth < 48 << 20, "grew by \(growth)")
      try expectClean(scratch + "/out")
      let verified = try Tool.end(of: ["sfdisk", "-V", scratch + "/out"])
      #expect(verified.status == 0, "\(verified.text)")
      #expect(!verified.text.contains("warning") && !verified.text.contains("CRC"), "\(verified.text)")
      if layout == "gpt" { #expect(try Tool.run(["sgdisk", "-v", scratch + "/out"]).contains("No problems found")) }
      #expect(try files(in: scratch) == ["image", "oci", "out"])
    }
  }

  @Test func equalInputsGiveEqualBytes() throws {
    try withScratchDirectory { scratch in
      let image = scratch + "/image"
      try Fixture.disk(image, "mbr", mebibytes: 8)
      let images = try Fixture.images(scratch + "/oci", mebibytes: 8)
      _ = try Preloader.preload(image: image, images: images, into: scratch + "/one", scratch: scratch, time: testTime)
      // The clock must have moved on for the second run: the tools stamp seconds.
      let second = time(nil)
      while time(nil) == second { sched_yield() }
      _ = try Preloader.preload(image: image, images: images, into: scratch + "/two", scratch: scratch, time: testTime)
      #expect(try Tool.end(of: ["cmp", scratch + "/one", scratch + "/two"]).text == "")
    }
  }

  @Test func aSecondPreloadAddsToTheFirst() throws {
    try withScratchDirectory { scratch in
      try Fixture.disk(scratch + "/image", "gpt", mebibytes: 16)
      let images = try Fixture.images(scratch + "/oci")
      _ = try Preloader.preload(image: scratch + "/image", images: [images[0]], into: scratch + "/one", scratch: scratch, time: testTime)
      let report = try Preloader.preload(image: scratch + "/one", images: images, into: scratch + "/two", scratch: scratch, time: testTime)
      #expect(report.layersWritten == 1)
      #expect(report.layersSkipped == 3)
      try expectClean(scratch + "/two")
      let again = try Preloader.preload(image: scratch + "/two", images: images, into: scratch + "/three", scratch: scratch, time: testTime)
      #expect(again.layersWritten == 0)
      #expect(again.sizeAfter == again.sizeBefore)
      try expectClean(scratch + "/three")
    }
  }

  @Test func aTagMovesAndOthersStay() throws {
    try withScratchDirectory { scratch in
      try Fixture.disk(scratch + "/image", "mbr", mebibytes: 16)
      let images = try Fixture.images(scratch + "/oci")
      func named(_ image: PreloadImage, _ names: [String]) -> PreloadImage {
        PreloadImage(names: names, manifestDigest: image.manifestDigest, config: image.config, layers: image.layers)
      }
      _ = try Preloader.preload(
        image: scratch + "/image", images: [named(images[0], ["docker.io/library/a:1", "a:2"])], into: scratch + "/one", scratch: scratch,
        time: testTime)
      _ = try Preloader.preload(
        image: scratch + "/one", images: [named(images[1], ["a:2", "host:5000/b"])], into: scratch + "/two", scratch: scratch, time: testTime)
      let file = try DiskFile(scratch + "/two", .read)
      let offset = try DataPartition(in: file).partition.start
      let store = try ImageStore(readingFrom: Ext4FileSystem(scratch + "/two", writable: false, offset: offset))
      let one = try ImageRecord(images[0]).id.description
      let two = try ImageRecord(images[1]).id.description
      #expect(
        store.repositories == [
          "a": ["a:1": one, "a:2": two, "a@\(images[0].manifestDigest)": one, "a@\(images[1].manifestDigest)": two],
          "host:5000/b": ["host:5000/b@\(images[1].manifestDigest)": two],
        ])
    }
  }

  @Test func nothingIsLeftAfterAWrongLayer() throws {
    try withScratchDirectory { scratch in
      try Fixture.disk(scratch + "/image", "mbr")
      let images = try Fixture.images(scratch + "/oci")
      let layer = images[0].layers[1]
      let blob = try Data(contentsOf: URL(fileURLWithPath: layer.path))
      func attempt() -> PreloadError? {
        do throws(PreloadError) {
          _ = try Preloader.preload(image: scratch + "/image", images: images, into: scratch + "/out", scratch: scratch, time: testTime)
          return nil
        } catch { return error }
      }
      // A byte of gzip's header that changes nothing in the content: only the blob's digest can tell.
      try patch(layer.path, at: 9, [blob[9] ^ 1])
      #expect(attempt()?.description.contains("has another digest") == true)
      try blob.dropLast(300).write(to: URL(fileURLWithPath: layer.path))
      #expect(attempt()?.description.contains("is cut off") == true)
      var damaged = blob
      damaged[blob.count / 2] ^= 0x55
      try damaged.write(to: URL(fileURLWithPath: layer.path))
      guard case .layer(let digest, _)? = attempt() else { Issue.record("a damaged layer was taken"); return }
      #expect(digest == layer.digest)
      #expect(try files(in: scratch) == ["image", "oci"])
    }
  }

  @Test func aLayerThatIsNotTheConfigurationsIsRefused() throws {
    try withScratchDirectory { scratch in
      try Fixture.disk(scratch + "/image", "mbr")
      let images = try Fixture.images(scratch + "/oci")
      let wrong = PreloadImage(names: images[0].names, manifestDigest: images[0].manifestDigest, config: images[0].config, layers: images[1].layers)
      #expect(
        throws: PreloadError.containerImage(name: "local/block:one", reason: "its configuration names other layers than the ones that are given")
      ) {
        try Preloader.preload(image: scratch + "/image", images: [wrong], into: scratch + "/out", scratch: scratch, time: testTime)
      }
      #expect(try files(in: scratch) == ["image", "oci"])
    }
  }

  @Test func anImageWithoutDataPartitionListsTheLabels() throws {
    try withScratchDirectory { scratch in
      try Fixture.disk(scratch + "/image", "mbr", label: "other-data")
      let images = try Fixture.images(scratch + "/oci")
      #expect(
        throws: PreloadError.noDataPartition(
          image: scratch + "/image", labels: ["resin-boot", "resin-rootA", "resin-rootB", "resin-state", "other-data"])
      ) { try Preloader.preload(image: scratch + "/image", images: images, into: scratch + "/out", scratch: scratch, time: testTime) }
      #expect(try files(in: scratch) == ["image", "oci"])
    }
  }

  @Test func theOutputMayNotBeTheInput() throws {
    try withScratchDirectory { scratch in
      try Fixture.disk(scratch + "/image", "mbr")
      let images = try Fixture.images(scratch + "/oci")
      try FileManager.default.linkItem(atPath: scratch + "/image", toPath: scratch + "/same")
      #expect(throws: PreloadError.self) {
        try Preloader.preload(image: scratch + "/image", images: images, into: scratch + "/same", scratch: scratch, time: testTime)
      }
      #expect(throws: PreloadError.unusableDiskImage(path: scratch, reason: "is a directory; only raw disk images can be preloaded")) {
        try Preloader.preload(image: scratch, images: images, into: scratch + "/out", scratch: scratch, time: testTime)
      }
    }
  }

  @Test func aFileSystemThatCannotBeWrittenIsRefused() throws {
    try withScratchDirectory { scratch in
      let images = try Fixture.images(scratch + "/oci")
      for (options, word) in [("inline_data", "incompatible features"), ("^extent,^64bit", "not ext4 with extents"), ("quota", "does not know")] {
        try Fixture.disk(scratch + "/image", "mbr", label: "unused")
        let start = try DiskFile(scratch + "/image", .read).dataStart()
        try Tool.run(
          [
            "mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-I", "256", "-O", options, "-L", "resin-data", "-E", "offset=\(start)",
            scratch + "/image",
            "16M",
          ])
        do {
          _ = try Preloader.preload(image: scratch + "/image", images: images, into: scratch + "/out", scratch: scratch, time: testTime)
          Issue.record("\(options) was taken")
        } catch let error as PreloadError { #expect(error.description.contains(word), "\(error)") }
        try FileManager.default.removeItem(atPath: scratch + "/image")
      }
    }
  }

  @Test func aDirectoryOfManyThousandEntriesDoesNotSlowDown() throws {
    try withScratchDirectory { scratch in
      try Fixture.disk(scratch + "/image", "mbr")
      let images = try Fixture.images(scratch + "/oci", mebibytes: 1, files: 20000)
      let report = try Preloader.preload(image: scratch + "/image", images: images, into: scratch + "/out", scratch: scratch, time: testTime)
      #expect(report.entries > 20000)
      try expectClean(scratch + "/out")
    }
  }
}

extension DiskFile {
  fileprivate func dataStart() throws -> Int64 { try #require(PartitionTable(readingFrom: self).partitions.last).start }
}
