import Foundation
import TestArchives
import TestFiles
import TestPeers
import Testing

@testable import OCIImage

@Suite struct TarReaderTests {
  struct Member: Hashable {
    var entry: TarEntry
    var bytes: [UInt8] = []
  }

  /// Feeds the tar in pieces of `step` bytes.
  static func read(_ tar: [UInt8], step: Int = 1 << 20, limits: TarReader.Limits = .init()) throws -> [Member] {
    var found: [Member] = []
    let reader = TarReader(what: "test.tar", limits: limits) { entry in
      found.append(Member(entry: entry))
      return { found[found.count - 1].bytes += Array($0) }
    }
    for start in stride(from: 0, to: tar.count, by: step) {
      try Array(tar[start..<min(start + step, tar.count)]).withUnsafeBytes { try reader.feed($0) }
    }
    try reader.finish()
    return found
  }

  static let end = [UInt8](repeating: 0, count: 1024)

  static func entry(_ path: String, _ kind: TarEntry.Kind, uid: UInt32 = 0, xattrs: [String: [UInt8]] = [:]) -> TarEntry {
    TarEntry(path: Array(path.utf8), kind: kind, mode: 0o4755, uid: uid, gid: 12, mtime: 1_600_000_000, xattrs: xattrs)
  }

  static func tar(_ members: [Member]) throws -> [UInt8] {
    var bytes: [UInt8] = []
    for member in members {
      bytes += try TarHeader.blocks(for: member.entry) + member.bytes
      bytes += [UInt8](repeating: 0, count: TarHeader.padding(after: Int64(member.bytes.count)))
    }
    return bytes + end
  }

  static let members: [Member] = [
    Member(entry: entry("dev", .directory)), Member(entry: entry("dev/null", .characterDevice(major: 1, minor: 3))),
    Member(entry: entry("dev/sda", .blockDevice(major: 8, minor: 1_048_575))), Member(entry: entry("dev/queue", .fifo)),
    Member(entry: entry("empty", .file(size: 0), uid: 3_000_000_000)),
    Member(entry: entry("file", .file(size: 700), xattrs: ["user.x": [0, 10, 61, 255]]), bytes: [UInt8](repeating: 9, count: 700)),
    Member(entry: entry(String(repeating: "long/", count: 60) + "ü", .hardlink(target: Array("file".utf8)))),
    Member(entry: entry("link", .symlink(target: Array("../../etc".utf8)))),
    Member(entry: entry("whole", .file(size: 1024)), bytes: [UInt8](repeating: 1, count: 1024)),
  ]

  @Test(arguments: [1, 7, 512, 513, 1 << 20]) func readsWhatWeWrite(_ step: Int) throws {
    #expect(try Self.read(Self.tar(Self.members), step: step) == Self.members)
  }

  /// GNU tar in its own format, with long names, and in pax.
  @Test(arguments: ["gnu", "posix", "ustar", "v7"]) func readsTar(_ format: String) throws {
    try withScratchDirectory { root in
      let long = String(repeating: "n", count: 90)
      try FileManager.default.createDirectory(atPath: root + "/d/\(long)", withIntermediateDirectories: true)
      let name = "d/\(long)/" + (format == "gnu" || format == "posix" ? String(repeating: "f", count: 120) : "f")
      try Data("content".utf8).write(to: URL(filePath: root + "/" + name))
      try FileManager.default.createSymbolicLink(atPath: root + "/d/s", withDestinationPath: "../x")
      try Tool.run("tar", "--format=\(format)", "--sort=name", "-C", root, "-cf", root + "/out.tar", "./d")
      let found = try Self.read(Array(Data(contentsOf: URL(filePath: root + "/out.tar"))), step: 1000)
      #expect(found.map { String(decoding: $0.entry.path, as: UTF8.self) } == ["d", "d/\(long)", name, "d/s"])
      #expect(found[2].bytes == Array("content".utf8))
      #expect(found[3].entry.kind == .symlink(target: Array("../x".utf8)))
    }
  }

  struct Lie: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var word: String
    var tell: @Sendable (inout [UInt8]) -> Void
  }

  static func put(_ text: String, _ offset: Int, _ bytes: inout [UInt8]) {
    bytes.replaceSubrange(offset..<offset + text.utf8.count, with: text.utf8)
    RawTar.seal(&bytes)
  }

  static let lies: [Lie] = [
    Lie(testDescription: "checksum", word: "checksum") { $0[0] ^= 1 },
    Lie(testDescription: "cut off in a file", word: "ends in the middle") { $0.removeLast(1600) },
    Lie(testDescription: "cut off in a header", word: "ends in the middle") { $0 = Array($0.prefix(300)) },
    Lie(testDescription: "after the end", word: "after its end") { $0 += [1] },
    Lie(testDescription: "zeros within", word: "zeros within") { $0.insert(contentsOf: [UInt8](repeating: 0, count: 512), at: 0) },
    Lie(testDescription: "parent", word: "leaves the root") { put("a/../../b", 0, &$0) },
    Lie(testDescription: "size", word: "not octal") { put("0000000009", 124, &$0) },
    Lie(testDescription: "type", word: "unknown type") { put("S", 156, &$0) },
    Lie(testDescription: "large extension", word: "extended header of") { bytes in
      put("x", 156, &bytes)
      put("77777777777", 124, &bytes)
    },
    Lie(testDescription: "number", word: "too large") { bytes in
      bytes.replaceSubrange(124..<136, with: [UInt8](repeating: 0x8f, count: 12))
      RawTar.seal(&bytes)
    },
  ]

  @Test(arguments: lies) func refuses(_ lie: Lie) throws {
    var bytes = try Self.tar([Member(entry: Self.entry("file", .file(size: 1000)), bytes: [UInt8](repeating: 9, count: 1000))])
    lie.tell(&bytes)
    let error = #expect(throws: OCIImageError.self) { try Self.read(bytes) }
    #expect(error?.description.contains(lie.word) == true, "\(error?.description ?? "")")
  }

  @Test(arguments: ["9999999 path=a\n", "12 path=a\n", "x path=a\n", "11 pathabcd\n", "21 GNU.sparse.major=1\n"])
  func refusesRecords(_ record: String) throws {
    var header = try TarHeader.blocks(for: Self.entry("x", .file(size: Int64(record.utf8.count))))
    Self.put("x", 156, &header)
    let bytes = header + Array(record.utf8) + [UInt8](repeating: 0, count: 512 - record.utf8.count) + (try Self.tar(Self.members))
    #expect(throws: OCIImageError.self) { try Self.read(bytes) }
  }

  @Test func holdsLimits() throws {
    let bytes = try Self.tar(Self.members)
    var few = TarReader.Limits()
    few.entries = 3
    #expect(throws: OCIImageError.self) { try Self.read(bytes, limits: few) }
    var small = TarReader.Limits()
    small.bytes = 3000
    #expect(throws: OCIImageError.self) { try Self.read(bytes, limits: small) }
  }
}
