import BuildModel
import Foundation
import TestFiles
import TestPeers
import Testing

@testable import Preload

/// What disk images tell of their platform. mkfs.vfat, mcopy and mke2fs make the file systems.
@Suite struct DiskPlatformTests {
  private func document(_ arch: String) -> String { #"{"slug":"acme-board","arch":"\#(arch)","name":"Acme"}"# }

  /// Puts files into the boot partition of an image of make-disk.sh, which begins at 4 MiB.
  private func addToBoot(_ image: String, _ files: [(name: String, text: String)], scratch: String) throws {
    for (name, text) in files {
      try Data(text.utf8).write(to: URL(fileURLWithPath: "\(scratch)/\(name)"))
      try Tool.run(["mcopy", "-i", "\(image)@@\(4 << 20)", "\(scratch)/\(name)", "::\(name)"])
    }
  }

  @Test(arguments: [("aarch64", Architecture.aarch64), ("armv7hf", .armv7hf), ("rpi", .rpi), ("amd64", .amd64), ("i386-nlp", .i386NoLockPrefix)])
  func theDeviceTypeDocumentCounts(arch: String, architecture: Architecture) throws {
    try withScratchDirectory { scratch in
      try Fixture.disk(scratch + "/image", "gpt")
      try addToBoot(
        scratch + "/image", [("config.json", "{}"), ("a-long-name-before-it.txt", "x"), ("device-type.json", document(arch))], scratch: scratch)
      let found = try DiskPlatform.read(from: scratch + "/image")
      #expect(found == DiskPlatform(platform: architecture.platform, source: "device-type.json of acme-board"))
    }
  }

  /// A document of several clusters, in each width of FAT.
  @Test(arguments: ["12", "16", "32"]) func everyFATIsRead(width: String) throws {
    try withScratchDirectory { scratch in
      let path = scratch + "/fat"
      try Tool.run(["truncate", "-s", width == "32" ? "48M" : "20M", path])
      try Tool.run(["mkfs.vfat", "-F", width, "-s", width == "12" ? "16" : "1", "-n", "RESIN-BOOT", path])
      let text = document("aarch64") + String(repeating: " ", count: 100_000)
      try Data(text.utf8).write(to: URL(fileURLWithPath: scratch + "/text"))
      try Tool.run(["mcopy", "-i", path, scratch + "/text", "::device-type.json"])
      let file = try DiskFile(path, .read)
      let fat = try #require(try FATFileSystem(readingFrom: file, at: 0, size: file.size()))
      #expect(try fat.contents("device-type.json", limit: 1 << 20, of: file) == Array(text.utf8))
      #expect(try fat.contents("Device-Type.JSON", limit: 1 << 20, of: file)?.count == text.utf8.count)
      #expect(try fat.contents("device-type.json", limit: 1000, of: file) == nil)
      #expect(try fat.contents("nothing", limit: 1 << 20, of: file) == nil)
    }
  }

  /// Whatever stands in it, reading a boot partition ends, and never traps.
  @Test func brokenFATsAreSurvived() throws {
    try withScratchDirectory { scratch in
      try Fixture.disk(scratch + "/image", "mbr")
      try addToBoot(scratch + "/image", [("device-type.json", document("aarch64"))], scratch: scratch)
      let start = UInt64(4 << 20)
      for offset in [11, 13, 14, 16, 17, 19, 22, 32, 36, 44] as [UInt64] {
        for bytes in [[0, 0], [0xFF, 0xFF], [1, 0], [0, 0x80]] as [[UInt8]] {
          try Tool.run(["cp", "--sparse=always", scratch + "/image", scratch + "/broken"])
          try patch(scratch + "/broken", at: start + offset, bytes)
          _ = try DiskPlatform.read(from: scratch + "/broken")
        }
      }
    }
  }

  @Test(arguments: [(183, 2, "linux/arm64/v8"), (62, 2, "linux/amd64"), (40, 1, "linux/arm"), (3, 1, "linux/386")])
  func elseTheProgramsCount(machine: Int, bits: UInt8, platform: String) throws {
    try withScratchDirectory { scratch in
      var header = [0x7f, 0x45, 0x4c, 0x46, bits, 1] + [UInt8](repeating: 0, count: 30)
      header[18] = UInt8(machine)
      // A hostapp lies in the container store of the root file system.
      let directory = scratch + "/image.root/balena/overlay2/0123/diff/usr/bin"
      try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
      try Data("#!/bin/sh\n".utf8).write(to: URL(fileURLWithPath: directory + "/a-script"))
      try Data(header).write(to: URL(fileURLWithPath: directory + "/busybox"))
      try Fixture.disk(scratch + "/image", "mbr")
      let found = try DiskPlatform.read(from: scratch + "/image")
      #expect(found?.platform.description == platform)
      #expect(found?.source == "the programs in resin-rootA")
    }
  }

  @Test func othersSayNothing() throws {
    try withScratchDirectory { scratch in
      try Fixture.disk(scratch + "/image", "mbr")
      #expect(try DiskPlatform.read(from: scratch + "/image") == nil)
      try addToBoot(scratch + "/image", [("device-type.json", #"{"arch":"z80"}"#)], scratch: scratch)
      #expect(try DiskPlatform.read(from: scratch + "/image") == nil)
    }
  }
}
