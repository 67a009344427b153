import BuildModel
import Foundation
import TestFiles
import TestPeers
import Testing

@testable import OCIImage

/// The bytes of layers that others wrote.
@Suite struct LayerReaderTests {
  static let content = (0..<9_000_000).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> ($0 / 1_000_000)) }

  /// `bytes` as a layer of `content` in a file of its own, `prefix` before it.
  func layer<Value>(
    _ bytes: [UInt8], of content: [UInt8] = content, digest: Digest? = nil, prefix: Int = 0, _ body: (StoredImage.Layer) throws -> Value
  ) throws -> Value {
    try withScratchDirectory { root in
      let path = root + "/layer"
      try Data([UInt8](repeating: 7, count: prefix) + bytes + [UInt8](repeating: 7, count: prefix)).write(to: URL(filePath: path))
      let part = LayerPart(
        digest: digest ?? Digest(hex: StoredImageTests.hex(bytes)), path: path, offset: Int64(prefix), size: Int64(bytes.count),
        followsLinks: false)
      return try body(StoredImage.Layer(part: part, diffID: #require(Digest(hex: StoredImageTests.hex(content)))))
    }
  }

  /// What a program makes of the bytes.
  func tool(_ command: [String], _ bytes: [UInt8]) throws -> [UInt8] {
    try withScratchDirectory { root in
      try Data(bytes).write(to: URL(filePath: root + "/input"))
      return try Tool.bytes(command + [root + "/input"])
    }
  }

  /// Members of a MiB, which libdeflate takes; one large one, which zlib takes; both; nothing at all; in the middle of a file.
  @Test(arguments: ["plain", "members", "one", "mixed", "empty member"], [0, 100]) func reads(_ form: String, prefix: Int) throws {
    var bytes: [UInt8]
    switch form {
    case "members": bytes = try StoredImageTests.gzip(Self.content)
    case "one": bytes = try tool(["gzip", "-c"], Self.content)
    case "mixed":
      let half = Self.content.count / 2
      bytes = try StoredImageTests.gzip(Array(Self.content[..<half])) + tool(["gzip", "-c"], Array(Self.content[half...]))
    case "empty member": bytes = try tool(["gzip", "-c"], []) + StoredImageTests.gzip(Self.content)
    default: bytes = Self.content
    }
    try layer(bytes, prefix: prefix) { layer in
      let (found, compression) = (try StoredImageTests.bytes(of: layer), try layer.compression())
      #expect(found == Self.content)
      #expect(compression == (form == "plain" ? .none : .gzip))
    }
  }

  @Test func anEmptyLayerIsOne() throws {
    let found = try layer([], of: []) { try StoredImageTests.bytes(of: $0) }
    #expect(found == [])
  }

  @Test(arguments: ["zstd", "xz", "bzip2"]) func otherCompressionsAreNamed(_ program: String) throws {
    try layer(tool([program, "-c"], Array(Self.content.prefix(1000)))) { layer in
      let error = #expect(throws: OCIImageError.self) { try StoredImageTests.bytes(of: layer) }
      #expect(error?.description.hasSuffix("it is compressed with \(program), which devices cannot read; use gzip") == true, "\(error as Any)")
    }
  }

  @Test func bothDigestsMustBeRight() throws {
    let packed = try StoredImageTests.gzip(Self.content)
    let other = try #require(Digest(hex: String(repeating: "0", count: 64)))
    for (bytes, digest, content, words) in [
      (packed, other, Self.content, "has another digest"), (Self.content, other, Self.content, "has another digest"),
      (packed, nil, [1], "is not the diff id"), (Self.content, nil, [1], "is not the diff id"),
    ] {
      try layer(bytes, of: content, digest: digest) { layer in
        let error = #expect(throws: OCIImageError.self) { try StoredImageTests.bytes(of: layer) }
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
      }
    }
  }

  @Test(arguments: ["truncated", "trailing bytes", "trailing zeros", "wrong checksum", "wrong bytes"])
  func damagedGzipIsRefused(_ kind: String) throws {
    var bytes = try StoredImageTests.gzip(Self.content)
    switch kind {
    case "truncated": bytes.removeLast(3)
    case "trailing bytes": bytes += [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
    case "trailing zeros": bytes += [0, 0, 0, 0]
    case "wrong checksum": bytes[bytes.count - 8] ^= 1
    default: bytes[bytes.count / 2] ^= 0x55
    }
    try layer(bytes) { layer in
      let error = #expect(throws: OCIImageError.self) { try StoredImageTests.bytes(of: layer) }
      #expect(error?.description.contains("gzip data") == true, "\(error?.description ?? "")")
    }
  }

  @Test func aBombCostsNoMoreThanTheLimit() throws {
    let zeros = [UInt8](repeating: 0, count: 30_000_000)
    try layer(tool(["gzip", "-c"], zeros), of: zeros) { layer in
      let reader = try LayerReader(layer, limit: 5_000_000)
      #expect(throws: OCIImageError.self) { while try reader.next() != nil {} }
      #expect(reader.count < 10_000_000)
    }
  }
}
