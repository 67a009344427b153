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

  /// An archive in memory, given in pieces of `step` bytes.
  final class Pieces: TarSource {
    private let bytes: UnsafeMutableRawBufferPointer
    private let step: Int
    private var position = 0

    init(_ bytes: [UInt8], step: Int) {
      self.bytes = .allocate(byteCount: bytes.count, alignment: 1)
      self.bytes.copyBytes(from: bytes)
      self.step = step
    }

    deinit { bytes.deallocate() }

    func next() -> UnsafeRawBufferPointer? {
      guard position < bytes.count else { return nil }
      let end = min(position + step, bytes.count)
      defer { position = end }
      return UnsafeRawBufferPointer(rebasing: bytes[position..<end])
    }
  }

  struct Archive {
    var members: [Member] = []
    var raw: [UInt8] = []
    var hasBytesAfterEnd = false
  }

  static func read(_ tar: [UInt8], step: Int = 1 << 20, limits: TarReader.Limits = .init()) throws -> Archive {
    final class Raw { var bytes: [UInt8] = [] }
    let raw = Raw()
    var found = Archive()
    var reader = TarReader(Pieces(tar, step: step), what: "test.tar", limits: limits) { raw.bytes += Array($0) }
    while let member = try reader.next() {
      var bytes: [UInt8] = []
      while let part = try reader.content() { bytes += Array(part) }
      found.members.append(Member(entry: try member.entry(what: "test.tar"), bytes: bytes))
    }
    found.raw = raw.bytes
    found.hasBytesAfterEnd = reader.hasBytesAfterEnd
    return found
  }

  static let end = [UInt8](repeating: 0, count: 1024)

  static func entry(_ path: String, _ kind: TarEntry.Kind, uid: UInt32 = 0, nanoseconds: UInt32 = 0, xattrs: [String: [UInt8]] = [:]) -> TarEntry {
    TarEntry(
      path: Array(path.utf8), kind: kind, mode: 0o4755, uid: uid, gid: 12, mtime: 1_600_000_000, nanoseconds: nanoseconds, xattrs: xattrs)
  }

  static func file(_ path: String, _ text: String = "") -> Member {
    Member(entry: entry(path, .file(size: Int64(text.utf8.count))), bytes: Array(text.utf8))
  }

  static func blocks(_ members: [Member]) throws -> [UInt8] {
    var bytes: [UInt8] = []
    for member in members {
      bytes += try TarHeader.blocks(for: member.entry) + member.bytes
      bytes += [UInt8](repeating: 0, count: TarHeader.padding(after: Int64(member.bytes.count)))
    }
    return bytes
  }

  static func tar(_ members: [Member]) throws -> [UInt8] { try blocks(members) + end }

  /// Names as they are, also those that our own writer refuses.
  static func rawTar(_ members: [Member]) throws -> [UInt8] {
    var bytes: [UInt8] = []
    for member in members {
      var plain = member
      plain.entry.path = Array("x".utf8)
      var header = try TarHeader.blocks(for: plain.entry)
      header.replaceSubrange(0..<100, with: member.entry.path + [UInt8](repeating: 0, count: 100 - member.entry.path.count))
      RawTar.seal(&header)
      bytes += header + member.bytes + [UInt8](repeating: 0, count: TarHeader.padding(after: Int64(member.bytes.count)))
    }
    return bytes + end
  }

  static let members: [Member] = [
    Member(entry: entry("dev", .directory)), Member(entry: entry("dev/null", .characterDevice(major: 1, minor: 3))),
    Member(entry: entry("dev/sda", .blockDevice(major: 8, minor: 1_048_575))), Member(entry: entry("dev/queue", .fifo)),
    Member(entry: entry("empty", .file(size: 0), uid: 3_000_000_000, nanoseconds: 1_000_007)),
    Member(entry: entry("file", .file(size: 700), xattrs: ["user.x": [0, 10, 61, 255]]), bytes: [UInt8](repeating: 9, count: 700)),
    Member(entry: entry(String(repeating: "long/", count: 60) + "ü", .hardlink(target: Array("file".utf8)))),
    Member(entry: entry("link", .symlink(target: Array("../../etc".utf8)))),
    Member(entry: entry("whole", .file(size: 1024)), bytes: [UInt8](repeating: 1, count: 1024)),
  ]

  @Test(arguments: [1, 7, 512, 513, 1 << 20]) func readsWhatWeWrite(_ step: Int) throws {
    let tar = try Self.tar(Self.members)
    let found = try Self.read(tar, step: step)
    #expect(found.members == Self.members)
    // What is not content, and the contents, are all there is.
    #expect(found.raw.count + Self.members.reduce(0) { $0 + $1.bytes.count } == tar.count)
  }

  /// A name that is no UTF-8 stays as it is.
  @Test func namesAreBytes() throws {
    var member = Self.file("x", "content")
    member.entry.path = [0x66, 0xFF, 0xFE, 0x2F, 0x80]
    #expect(try Self.read(Self.tar([member])).members == [member])
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
      let found = try Self.read(Array(Data(contentsOf: URL(filePath: root + "/out.tar"))), step: 1000).members
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
    Lie(testDescription: "cut off in a file", word: "ends in the middle of a file") { $0.removeLast(1600) },
    Lie(testDescription: "cut off in a header", word: "ends in the middle of a header") { $0 = Array($0.prefix(300)) },
    Lie(testDescription: "zeros within", word: "goes on after a block of zeros") { $0.insert(contentsOf: [UInt8](repeating: 0, count: 512), at: 0) },
    Lie(testDescription: "parent", word: "leads out of the layer") { put("a/../../b", 0, &$0) },
    Lie(testDescription: "size", word: "not an octal number") { put("0000000009", 124, &$0) },
    Lie(testDescription: "type", word: "unknown type 55") { put("7", 156, &$0) },
    Lie(testDescription: "sparse", word: "GNU sparse") { put("S", 156, &$0) },
    Lie(testDescription: "negative size", word: "entry of -1 bytes") { bytes in
      bytes.replaceSubrange(124..<136, with: [UInt8](repeating: 0xff, count: 12))
      RawTar.seal(&bytes)
    },
    Lie(testDescription: "large extension", word: "extended header of") { bytes in
      put("x", 156, &bytes)
      put("77777777777", 124, &bytes)
    },
    Lie(testDescription: "number", word: "too large") { bytes in
      bytes.replaceSubrange(124..<136, with: [UInt8](repeating: 0x8f, count: 12))
      RawTar.seal(&bytes)
    },
    Lie(testDescription: "huge file", word: "file of 17592186044416 bytes") { bytes in
      bytes.replaceSubrange(124..<136, with: [0x80, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0])
      RawTar.seal(&bytes)
    },
  ]

  @Test(arguments: lies) func refuses(_ lie: Lie) throws {
    var bytes = try Self.tar([Member(entry: Self.entry("file", .file(size: 1000)), bytes: [UInt8](repeating: 9, count: 1000))])
    lie.tell(&bytes)
    let error = #expect(throws: OCIImageError.self) { try Self.read(bytes) }
    #expect(error?.description.contains(lie.word) == true, "\(error?.description ?? "")")
  }

  /// What Go's reader, and so every engine, takes for the end.
  @Test func endsAsEnginesSeeThem() throws {
    let members = [Self.file("a", "x"), Self.file("b", "yy")]
    let blocks = try Self.blocks(members)
    for bytes in [blocks, blocks + Self.end, blocks + Self.end.prefix(512), Array(blocks.dropLast(500))] {
      let found = try Self.read(bytes, step: 300)
      #expect(found.members == members && !found.hasBytesAfterEnd)
    }
    let found = try Self.read(blocks + Self.end + [0, 0, 1])
    #expect(found.members == members && found.hasBytesAfterEnd)
    #expect(try Self.read([]).members == [])
  }

  // MARK: Extended headers

  /// An extended header of type `type` before a plain file.
  static func extended(_ type: String, _ body: [UInt8], before member: Member = file("plain", "content")) throws -> [UInt8] {
    var header = try TarHeader.blocks(for: entry("x", .file(size: Int64(body.count))))
    put(type, 156, &header)
    return header + body + [UInt8](repeating: 0, count: TarHeader.padding(after: Int64(body.count))) + (try tar([member]))
  }

  static func record(_ key: String, _ value: [UInt8]) -> [UInt8] {
    let body = Array(" \(key)=".utf8) + value + [10]
    var length = body.count + 1
    while "\(length)".utf8.count + body.count != length { length = "\(length)".utf8.count + body.count }
    return Array("\(length)".utf8) + body
  }

  @Test(arguments: ["9999999 path=a\n", "12 path=a\n", "x path=a\n", "11 pathabcd\n", "21 GNU.sparse.major=1\n", "8 =abcd\n", "-5 a=b\n"])
  func refusesRecords(_ record: String) throws {
    #expect(throws: OCIImageError.self) { try Self.read(Self.extended("x", Array(record.utf8))) }
  }

  @Test(arguments: [
    ("mtime", "-9223372036854775808.5", "not a time"), ("mtime", "1.2x", "not a time"), ("uid", "-1", "impossible owner"),
    ("gid", "4294967296", "impossible owner"), ("size", "99999999999999999999", "not a number"), ("size", "-4", "entry of -4 bytes"),
    ("path", "a\u{0}b", "NUL"), ("path", "../x", "leads out"),
  ]) func refusesValues(key: String, value: String, word: String) throws {
    let error = #expect(throws: OCIImageError.self) { try Self.read(Self.extended("x", Self.record(key, Array(value.utf8)))) }
    #expect(error?.description.contains(word) == true, "\(error?.description ?? "")")
  }

  @Test(arguments: [("1.75", 1, 750_000_000), ("-1.25", -2, 750_000_000), ("7.0000000019", 7, 1), ("-0", 0, 0)])
  func timesAreRoundedDown(text: String, seconds: Int64, nanoseconds: UInt32) throws {
    let found = try #require(try Self.read(Self.extended("x", Self.record("mtime", Array(text.utf8)))).members.first)
    #expect(found.entry.mtime == seconds && found.entry.nanoseconds == nanoseconds)
  }

  /// Negative numbers in base 256, as GNU tar writes times before 1970.
  @Test func binaryNumbersHaveASign() throws {
    var bytes = try Self.tar([Self.file("a")])
    bytes.replaceSubrange(136..<148, with: [UInt8](repeating: 0xff, count: 11) + [0xfe])
    RawTar.seal(&bytes)
    #expect(try Self.read(bytes).members.first?.entry.mtime == -2)
    bytes.replaceSubrange(136..<148, with: [0xC0] + [UInt8](repeating: 0, count: 11))
    RawTar.seal(&bytes)
    #expect(throws: OCIImageError.self) { try Self.read(bytes) }
  }

  @Test func laterExtendedHeadersReplaceEarlierOnes() throws {
    let first = try Self.extended("x", Self.record("path", Array("one".utf8))).prefix(1024)
    let second = try Self.extended("x", Self.record("uid", Array("7".utf8)))
    let found = try #require(try Self.read(first + second).members.first)
    #expect(found.entry.path == Array("plain".utf8) && found.entry.uid == 7)
    // Not to the member after the next one.
    let all = try Self.read(Self.extended("x", Self.record("uid", Array("7".utf8))).dropLast(1024) + Self.tar([Self.file("b")])).members
    #expect(all.map(\.entry.uid) == [7, 0])
  }

  @Test func anEmptyValueMeansTheHeadersOwn() throws {
    let body = Self.record("path", []) + Self.record("uid", []) + Self.record("mtime", []) + Self.record("SCHILY.xattr.user.x", [])
    let found = try #require(try Self.read(Self.extended("x", body)).members.first)
    #expect(found.entry.path == Array("plain".utf8) && found.entry.mtime == 1_600_000_000)
  }

  /// Engines read global headers and apply nothing of them, other programs do.
  @Test func globalHeadersMayOnlySayWhatMakesNoDifference() throws {
    #expect(try Self.read(Self.extended("g", Self.record("comment", Array("0123".utf8)))).members == [Self.file("plain", "content")])
    for key in ["path", "size", "mtime", "SCHILY.xattr.user.x"] {
      let error = #expect(throws: OCIImageError.self) { try Self.read(Self.extended("g", Self.record(key, Array("7".utf8)))) }
      #expect(error?.description.contains("a global header sets '\(key)'") == true)
    }
  }

  @Test func namesByTwoWaysMustBeOne() throws {
    let pax = try Self.extended("x", Self.record("path", Array("one".utf8))).prefix(1024)
    #expect(throws: OCIImageError.self) { try Self.read(pax + Self.extended("L", Array("two".utf8))) }
    #expect(try Self.read(pax + Self.extended("L", Array("one\0".utf8))).members.first?.entry.path == Array("one".utf8))
  }

  @Test func extendedHeadersHaveALimit() throws {
    let one = try Self.extended("x", Self.record("comment", [1])).prefix(1024)
    let many = Array(repeating: one, count: 17).flatMap { $0 }
    #expect(throws: OCIImageError.self) { try Self.read(many + Self.tar([Self.file("a")])) }
  }

  @Test func holdsLimits() throws {
    let bytes = try Self.tar(Self.members)
    var few = TarReader.Limits()
    few.entries = 3
    #expect(throws: OCIImageError.self) { try Self.read(bytes, limits: few) }
    var short = TarReader.Limits()
    short.metadata = 300
    #expect(throws: OCIImageError.self) { try Self.read(bytes, limits: short) }
  }
}
