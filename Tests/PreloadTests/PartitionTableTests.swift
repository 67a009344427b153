import Foundation
import TestFiles
import TestPeers
import Testing

@testable import Preload

@Suite struct PartitionTableTests {
  private func table(_ path: String) throws -> PartitionTable { try PartitionTable(readingFrom: DiskFile(path, .read)) }

  @Test(arguments: ["mbr", "gpt", "primary"])
  func readsWhatSfdiskWrites(layout: String) throws {
    try withScratchDirectory { scratch in
      try Fixture.disk(scratch + "/image", layout)
      struct Listing: Decodable {
        struct Table: Decodable {
          struct Entry: Decodable {
            var node: String
            var start: Int64
            var size: Int64
            var type: String
          }
          var partitions: [Entry]
        }
        var partitiontable: Table
      }
      let json = try Tool.run(["sfdisk", "-J", scratch + "/image"])
      let listing = try JSONDecoder().decode(Listing.self, from: Data(json.utf8))
      let expected = listing.partitiontable.partitions.filter { $0.type != "f" }
      let found = try table(scratch + "/image").partitions
      #expect(
        found.map { "\($0.number) \($0.start / 512) \($0.size / 512)" }
          == expected.map { "\($0.node.dropFirst(scratch.count + 6)) \($0.start) \($0.size)" })
    }
  }

  @Test func hostileTablesAreRefused() throws {
    try withScratchDirectory { scratch in
      let image = scratch + "/image"
      try Fixture.disk(image, "mbr")
      let extended = UInt64(48 - 4) << 20
      func fault(_ word: String, _ damage: (String) throws -> Void) throws {
        let copy = scratch + "/copy"
        try? FileManager.default.removeItem(atPath: copy)
        try FileManager.default.copyItem(atPath: image, toPath: copy)
        try damage(copy)
        do {
          _ = try table(copy)
          Issue.record("taken: \(word)")
        } catch let error as PreloadError { #expect(error.description.contains(word), "\(error)") }
      }
      // The second record links back to the first one.
      try fault("loops") { try patch($0, at: extended + 446 + 16 + 8, [0, 0, 0, 0]) }
      try fault("outside the extended partition") { try patch($0, at: extended + 446 + 16 + 8, [255, 255, 255, 127]) }
      try fault("no extended boot record") { try patch($0, at: extended + 510, [0]) }
      try fault("leaves the extended partition") { try patch($0, at: extended + 446 + 12, [255, 255, 255, 0]) }
      try fault("overlap") { try patch($0, at: 446 + 16 + 8, [0, 33, 0, 0]) }
      try fault("truncated") { try Tool.run(["truncate", "-s", "-1M", $0]) }
      try fault("no partition table") { try patch($0, at: 510, [0]) }
      try fault("compressed (gzip)") {
        try patch($0, at: 0, [0x1F, 0x8B]); try patch($0, at: 510, [0])
      }
      try fault("too few") { try Tool.run(["truncate", "-s", "700", $0]) }
    }
  }

  @Test func damagedGPTsAreRefused() throws {
    try withScratchDirectory { scratch in
      let image = scratch + "/image"
      try Fixture.disk(image, "gpt")
      func fault(_ word: String, _ damage: (String) throws -> Void) throws {
        let copy = scratch + "/copy"
        try? FileManager.default.removeItem(atPath: copy)
        try FileManager.default.copyItem(atPath: image, toPath: copy)
        try damage(copy)
        do {
          _ = try table(copy)
          Issue.record("taken: \(word)")
        } catch let error as PreloadError { #expect(error.description.contains(word), "\(error)") }
      }
      try fault("without a GPT header") { try patch($0, at: 512, [0]) }
      try fault("header's checksum") { try patch($0, at: 512 + 48, [1]) }
      try fault("GPT's entries") { try patch($0, at: 1024 + 60, [1]) }
      try fault("impossible sizes") { try patch($0, at: 512 + 80, [255, 255, 255, 255]) }
      try fault("truncated") { try Tool.run(["truncate", "-s", "-2M", $0]) }
      try fault("hybrid") { try patch($0, at: 446 + 16 + 4, [0x83, 0, 0, 0, 0, 8, 0, 0, 0, 8, 0, 0]) }
    }
  }

  @Test func onlyTheLastPartitionGrows() throws {
    try withScratchDirectory { scratch in
      try Fixture.disk(scratch + "/image", "mbr")
      let file = try DiskFile(scratch + "/image", .update)
      let table = try PartitionTable(readingFrom: file)
      do {
        _ = try table.grow(table.partitions[1], to: 100 << 20, in: file)
        Issue.record("a partition in the middle grew")
      } catch let error as PreloadError { #expect(error.description.contains("not the last one")) }
      let last = table.partitions[table.partitions.count - 1]
      let grown = try table.grow(last, to: last.size + 3_000_001, in: file)
      #expect(grown.size == last.size + 3 << 20)
      #expect(try Tool.end(of: ["sfdisk", "-V", scratch + "/image"]).status == 0)
      // What sfdisk does not look at: the link to the last record counts as much as the extended partition has from there on.
      let extended = MBRRecord.entries(of: try file.read(512, at: 0))[3]
      let link = MBRRecord.entries(of: try file.read(512, at: Int64(extended.start) * 512))[1]
      #expect(link.start + link.count == extended.count)
      #expect(Int64(extended.start + extended.count) * 512 == grown.end)
    }
  }

  /// sgdisk writes the backup where it belongs; nothing of the old one may be left to be found there.
  @Test func theOldBackupOfAGPTIsGone() throws {
    try withScratchDirectory { scratch in
      let image = scratch + "/image"
      try Fixture.disk(image, "gpt")
      let file = try DiskFile(image, .update)
      let before = try file.size()
      let table = try PartitionTable(readingFrom: file)
      _ = try table.grow(table.partitions[4], to: table.partitions[4].size + (5 << 20), in: file)
      #expect(try file.read(512, at: before - 512).allSatisfy { $0 == 0 })
      #expect(try Tool.run(["sgdisk", "-v", image]).contains("No problems found"))
    }
  }
}
