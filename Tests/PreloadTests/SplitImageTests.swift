import Foundation
import TestFiles
import TestPeers
import Testing

@testable import Preload

@Suite struct SplitImageTests {
  /// A disk whose gaps and partitions hold something: a bootloader, a piece that crosses chunks, the space before the logical partitions.
  private func disk(_ path: String, _ layout: String, prefix: String = "resin") throws {
    try Fixture.disk(path, layout, label: "\(prefix)-data", prefix: prefix)
    let end = try size(path)
    for (offset, count) in [(100_000, 500_000), (14 << 20, 3_000_001), (45 << 20, 70_000), (53 << 20, 9999)] where offset < end {
      try patch(path, at: UInt64(offset), noise(count, seed: UInt64(offset)))
    }
  }

  /// What python's zlib makes of the parts, which compares them with the image as well.
  private func join(_ image: String, _ kind: SplitImage.Kind, in directory: String) throws -> [String] {
    let arguments = ["\(Fixture.directory)/join-parts.py", image, "\(directory)/\(kind.manifest)", "\(directory)/\(kind.folder)"]
    return try Tool.run(["python3"] + arguments).split(separator: "\n").map(String.init)
  }

  /// Writes, lets both judges read it back, and checks the returned paths against what is there.
  private func split(_ image: String, _ kind: SplitImage.Kind, into directory: String) throws -> [String] {
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    let written = try SplitImage.write(image: image, kind: kind, into: directory)
    let parts = try join(image, kind, in: directory)
    try SplitImage.verify(image: image, kind: kind, in: directory)
    #expect(written == parts.indices.map { "\(kind.folder)/part-\($0).deflate" } + [kind.manifest])
    #expect(try files(in: directory) == [kind.folder, kind.manifest].sorted())
    return parts
  }

  private func reason(_ body: () throws(PreloadError) -> Void) -> String {
    do throws(PreloadError) { try body() } catch { return error.description }
    return "no error"
  }

  private func mebibytes(_ start: Int, _ length: Int, _ index: String) -> String { "\(start << 20) \(length << 20) \(index)" }

  @Test func logicalPartitionsAndTheGapsOfTheirRecords() throws {
    try withScratchDirectory { scratch in
      try disk(scratch + "/image", "mbr")
      // Ends in the middle of a sector, behind the last partition.
      try Tool.run(["truncate", "-s", "+1500", scratch + "/image"])
      let parts = try split(scratch + "/image", .image, into: scratch + "/out")
      let expected = [
        (0, 4, "-"), (4, 8, "(1)"), (12, 16, "(2)"), (28, 16, "(3)"), (44, 4, "-"), (48, 8, "(5)"), (56, 4, "-"), (60, 16, "(6)"),
      ].map(mebibytes)
      #expect(parts == expected + ["\(76 << 20) 1500 -"])
    }
  }

  @Test func noGapsBetweenPartitions() throws {
    try withScratchDirectory { scratch in
      try disk(scratch + "/image", "primary")
      let parts = try split(scratch + "/image", .raw, into: scratch + "/out")
      #expect(parts == [(0, 4, "-"), (4, 8, "(1)"), (12, 16, "(2)"), (28, 16, "(3)")].map(mebibytes))
    }
  }

  @Test func flasher() throws {
    try withScratchDirectory { scratch in
      try disk(scratch + "/image", "gpt", prefix: "flash")
      let parts = try split(scratch + "/image", .flasher, into: scratch + "/out")
      #expect(try files(in: scratch + "/out") == ["compressed-flasher", "image-flasher.json"])
      let expected = [(0, 4, "-"), (4, 8, "(1)"), (12, 16, "(2)"), (28, 16, "(3)"), (44, 8, "(4)"), (52, 16, "(5)"), (68, 4, "-")].map(mebibytes)
      #expect(parts == expected)
    }
  }

  @Test(arguments: [512, 1024, 2048, 4096])
  func blocksOfAGPT(size: Int) throws {
    try withScratchDirectory { scratch in
      try Tool.run(["python3", "\(Fixture.directory)/make-gpt.py", scratch + "/image", String(size)])
      let parts = try split(scratch + "/image", .image, into: scratch + "/out")
      let expected = [(0, 50, "-"), (50, 50, "(1)"), (100, 20, "-"), (120, 252, "(3)"), (372, 48, "-")].map { "\($0 * size) \($1 * size) \($2)" }
      #expect(parts == expected)
    }
  }

  @Test func theManifest() throws {
    try withScratchDirectory { scratch in
      let parts = [
        SplitImageManifest.Part(filename: "part-0.deflate", crc: 4_294_967_295, len: 4_194_304, zLen: 4132),
        SplitImageManifest.Part(filename: "part-1.deflate", crc: 0, len: 5_000_000_000, zLen: 17, partitionIndex: "(5)"),
      ]
      try SplitImageManifest(parts: parts).write(to: scratch + "/image.json")
      #expect(
        try String(contentsOfFile: scratch + "/image.json", encoding: .utf8) == """
          {
            "resin.img" : {
              "parts" : [
                {
                  "crc" : 4294967295,
                  "filename" : "part-0.deflate",
                  "len" : 4194304,
                  "zLen" : 4132
                },
                {
                  "crc" : 0,
                  "filename" : "part-1.deflate",
                  "len" : 5000000000,
                  "partitionIndex" : "(5)",
                  "zLen" : 17
                }
              ]
            }
          }

          """)
      #expect(try SplitImageManifest(readingFrom: scratch + "/image.json").image.parts == parts)
    }
  }

  @Test func theBytesDependOnNothingButTheImage() throws {
    try withScratchDirectory { scratch in
      try disk(scratch + "/sparse", "mbr")
      try Tool.run(["cp", "--sparse=never", scratch + "/sparse", scratch + "/dense"])
      for (name, image, lanes) in [("one", "sparse", 1), ("many", "sparse", 5), ("full", "dense", 3)] {
        try FileManager.default.createDirectory(atPath: "\(scratch)/\(name)", withIntermediateDirectories: true)
        _ = try SplitImage.write(image: "\(scratch)/\(image)", kind: .image, into: "\(scratch)/\(name)", lanes: lanes)
      }
      try Tool.run(["diff", "-r", scratch + "/one", scratch + "/many"])
      try Tool.run(["diff", "-r", scratch + "/one", scratch + "/full"])
    }
  }

  @Test func anEarlierSplitIsReplacedWhole() throws {
    try withScratchDirectory { scratch in
      try disk(scratch + "/first", "mbr")
      try disk(scratch + "/second", "primary")
      #expect(try split(scratch + "/first", .image, into: scratch + "/out").count == 8)
      #expect(try split(scratch + "/second", .image, into: scratch + "/out").count == 4)
      // One that fails leaves what was there, and nothing else.
      try patch(scratch + "/first", at: 510, [0])
      let said = reason { () throws(PreloadError) in _ = try SplitImage.write(image: scratch + "/first", kind: .image, into: scratch + "/out") }
      #expect(said.hasSuffix("has no partition table"))
      #expect(try join(scratch + "/second", .image, in: scratch + "/out").count == 4)
      #expect(try files(in: scratch + "/out") == ["compressed", "image.json"])
      let directory = reason { () throws(PreloadError) in _ = try SplitImage.write(image: scratch, kind: .image, into: scratch + "/out") }
      #expect(directory.hasSuffix("is not a regular file"))
    }
  }

  @Test func everyDifferenceIsFound() throws {
    try withScratchDirectory { scratch in
      let image = scratch + "/image"
      try disk(image, "mbr")
      _ = try split(image, .image, into: scratch + "/good")
      let text = try String(contentsOfFile: scratch + "/good/image.json", encoding: .utf8)
      func fault(_ word: String, _ damage: (String) throws -> Void) throws {
        let copy = scratch + "/copy"
        try? FileManager.default.removeItem(atPath: copy)
        try FileManager.default.copyItem(atPath: scratch + "/good", toPath: copy)
        try damage(copy)
        let said = reason { () throws(PreloadError) in try SplitImage.verify(image: image, kind: .image, in: copy) }
        #expect(said.contains(word), "\(said)")
      }
      func manifest(_ old: String, _ new: String) -> (String) throws -> Void {
        {
          try text.replacingOccurrences(of: old, with: new, options: .regularExpression).write(
            toFile: $0 + "/image.json", atomically: false, encoding: .utf8)
        }
      }
      try fault("no error") { _ in }
      try fault("does not end in an empty block") {
        try patch($0 + "/compressed/part-1.deflate", at: size($0 + "/compressed/part-1.deflate") - 1, [0])
      }
      try fault("the manifest says") { try Tool.run(["truncate", "-s", "+1", $0 + "/compressed/part-2.deflate"]) }
      // Inside of what does not compress, and is stored as it is.
      try fault("differs from the disk image") {
        try patch($0 + "/compressed/part-2.deflate", at: size($0 + "/compressed/part-2.deflate") / 2, [1, 2, 3])
      }
      // Other bytes for the first part, of which the manifest knows the length.
      func part(_ change: @escaping (Data) -> Data) -> (String) throws -> Void {
        { copy in
          let path = copy + "/compressed/part-0.deflate"
          let bytes = change(try Data(contentsOf: URL(fileURLWithPath: path)))
          try bytes.write(to: URL(fileURLWithPath: path))
          var parts = try SplitImageManifest(readingFrom: copy + "/image.json").image.parts
          parts[0].zLen = Int64(bytes.count)
          try FileManager.default.removeItem(atPath: copy + "/image.json")
          try SplitImageManifest(parts: parts).write(to: copy + "/image.json")
        }
      }
      try fault("has a final block", part { $0 + [1, 0, 0, 255, 255] })
      try fault("holds more than", part { $0 + $0 })
      try fault("holds 0 of the 4194304 bytes", part { _ in Data([0, 0, 0, 255, 255]) })
      try fault("cannot be inflated", part { _ in Data([7, 0, 0, 255, 255]) })
      try fault("part 3 is not bytes", manifest("[(]3[)]", "(2)"))
      try fault("part 0 is not bytes", manifest("part-0", "../part-0"))
      try fault("another CRC-32", manifest("\"crc\" : [0-9]+", "\"crc\" : 7"))
      try fault("is not the manifest", manifest("resin.img", "image"))
      try fault("lists 0 parts") { try #"{"resin.img":{"parts":[]}}"#.write(toFile: $0 + "/image.json", atomically: false, encoding: .utf8) }
      try fault("open") { try FileManager.default.removeItem(atPath: $0 + "/compressed/part-7.deflate") }
      try patch(image, at: 30 << 20, [1])
      try fault("part-3.deflate: differs from the disk image between bytes") { _ in }
    }
  }

  private func size(_ path: String) throws -> UInt64 { try #require(FileManager.default.attributesOfItem(atPath: path)[.size] as? UInt64) }
}
