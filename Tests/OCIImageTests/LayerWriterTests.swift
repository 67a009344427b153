import BlobStore
import BuildModel
import Foundation
import TestFiles
import TestPeers
import Testing

import struct Crypto.SHA256

@testable import OCIImage

@Suite struct LayerWriterTests {
  func entry(_ path: String, _ kind: TarEntry.Kind = .directory, xattrs: [String: [UInt8]] = [:]) -> TarEntry {
    TarEntry(path: Array(path.utf8), kind: kind, mode: 0o755, uid: 0, gid: 0, mtime: 1_600_000_000, xattrs: xattrs)
  }

  func write(_ bytes: [UInt8], to writer: LayerWriter) throws { try bytes.withUnsafeBytes { try writer.write($0) } }

  func withStore<Value>(_ body: (BlobStore) throws -> Value) throws -> Value {
    try withScratchDirectory { root in
      return try body(try BlobStore(root: root))
    }
  }

  @Test func digestsAreOfWhatWasWritten() throws {
    try withStore { store in
      let writer = try LayerWriter(store: store)
      let content = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }
      try writer.begin(entry("a"))
      try writer.begin(entry("a/file", .file(size: Int64(content.count))))
      // Pieces that fit neither blocks nor chunks.
      for start in stride(from: 0, to: content.count, by: 77_777) {
        try write(Array(content[start..<min(start + 77_777, content.count)]), to: writer)
      }
      let layer = try writer.finish()
      try store.verify(layer.blob.digest)
      #expect(store.size(layer.blob.digest) == layer.blob.size)
      let tar = try unpacked(store.path(layer.blob.digest))
      #expect(Int64(tar.count) == writer.tarSize)
      #expect(tar.count % 512 == 0)
      #expect(Digest(bytes: SHA256.hash(data: tar)) == layer.diffID)
      #expect(Array(tar[1024..<1024 + content.count]) == content)
    }
  }

  /// One gzip member a MiB of tar, each independent of the others.
  @Test func membersHoldFixedChunks() throws {
    try withStore { store in
      let writer = try BlobWriter(store: store)
      let gzip = GzipChunks(into: writer)
      let bytes = [UInt8](repeating: 7, count: 2 * GzipChunks.chunkSize + 1)
      try bytes.withUnsafeBytes { try gzip.write($0) }
      try gzip.finish()
      let all = try store.read(writer.finish(expecting: nil).digest)
      let starts = all.indices.dropLast(3).filter { all[$0] == 0x1f && all[$0 + 1] == 0x8b && all[$0 + 2] == 8 }
      #expect(starts.count == 3)
      // The first two members hold the same input and are the same bytes.
      #expect(Array(all[starts[0]..<starts[1]]) == Array(all[starts[1]..<starts[2]]))
    }
  }

  func unpacked(_ path: String) throws -> [UInt8] { try Tool.bytes(["gzip", "-dc", path]) }

  @Test(arguments: [["b", "a"], ["a", "a"], ["a/b", "a"], ["opt-", "opt/x"]])
  func refusesWrongOrder(_ paths: [String]) throws {
    try withStore { store in
      let writer = try LayerWriter(store: store)
      try writer.begin(entry(paths[0]))
      #expect(throws: OCIImageError.self) { try writer.begin(entry(paths[1])) }
    }
  }

  @Test func refusesWrongSizes() throws {
    try withStore { store in
      let short = try LayerWriter(store: store)
      try short.begin(entry("a", .file(size: 3)))
      #expect(throws: OCIImageError.self) { try short.finish() }
      let long = try LayerWriter(store: store)
      try long.begin(entry("a", .file(size: 3)))
      #expect(throws: OCIImageError.self) { try write([0, 0, 0, 0], to: long) }
    }
  }

  @Test(arguments: ["", "/a", "a\u{0}b"]) func refusesPaths(_ path: String) {
    #expect(throws: OCIImageError.self) { try TarHeader.blocks(for: entry(path)) }
  }

  /// The length of a pax record counts its own digits; check around every place where their number changes.
  @Test(arguments: [1, 5, 60, 70, 71, 72, 73, 80, 81, 82, 83, 84, 85, 960, 970, 975, 976, 977, 978, 979, 980, 990, 9970, 9975, 9980])
  func recordLengths(_ size: Int) throws {
    let blocks = try TarHeader.blocks(for: entry("f", .file(size: 0), xattrs: ["user.x": [UInt8](repeating: 0x61, count: size)]))
    #expect(blocks[156] == UInt8(ascii: "x"))
    let digits = blocks[512...].prefix { $0 != UInt8(ascii: " ") }
    let length = try #require(Int(String(decoding: digits, as: UTF8.self)))
    #expect(blocks[512 + length - 1] == UInt8(ascii: "\n"))
    #expect(blocks[512 + length] == 0)
    #expect(length == digits.count + 1 + "SCHILY.xattr.user.x=".utf8.count + size + 1)
  }

  /// A file of 9 GiB: its size does not fit the ustar field.
  @Test func hugeSizesGetARecord() throws {
    let blocks = try TarHeader.blocks(for: entry("f", .file(size: 9 << 30)))
    #expect(String(decoding: blocks[512..<560], as: UTF8.self).contains("size=9663676416\n"))
  }
}
