import BuildModel
import Foundation
import TestFiles
import Testing

@testable import Feed

@Suite struct PackageIndexTests {
  static let stanza = """
    Package: hello-sh
    Version: 1.2-r0
    Depends: hello-conf (>= 1.0),
     other
    Architecture: all
    MD5Sum: 0123456789ABCDEF0123456789abcdef
    SHA256sum: \(String(repeating: "ab", count: 32))
    Size: 802
    Filename: hello-sh_1.2-r0_all.ipk
    Source: hello-sh_1.2.bb
    Description: Demo
     with a second line
    \tand a third: with a colon
    License: MIT

    """

  func parse(_ text: String) throws -> PackageIndex { try PackageIndex(Array(text.utf8), file: "Packages") }

  @Test func readsAStanza() throws {
    let found = try parse(Self.stanza)
    #expect(found.stanzas.count == 1)
    let one = try #require(found.stanzas.first)
    #expect(one.name.text == "hello-sh")
    #expect(one.version.text == "1.2-r0")
    #expect(one.size == 802)
    #expect(one.file.text == "hello-sh_1.2-r0_all.ipk")
    #expect(one.recipe == "hello-sh")
    #expect(one.license == "MIT")
    #expect(one.md5 == "0123456789abcdef0123456789abcdef")
  }

  @Test func blankLinesSeparate() throws {
    let two = "\n\n" + Self.stanza + "\n \n" + Self.stanza.replacing("hello-sh\n", with: "other\n", maxReplacements: 1)
    #expect(try parse(two).stanzas.map(\.name.text) == ["hello-sh", "other"])
    #expect(try parse("").stanzas.isEmpty)
    #expect(try parse(Self.stanza.replacing("\n", with: "\r\n")).stanzas.count == 1)
  }

  @Test(arguments: [
    ("Filename: hello-sh_1.2-r0_all.ipk", "Filename: ../other.ipk", "Filename"),
    ("Filename: hello-sh_1.2-r0_all.ipk", "Filename: /etc/passwd", "Filename"),
    ("Filename: hello-sh_1.2-r0_all.ipk", "Filename: a/../../b.ipk", "Filename"),
    ("Filename: hello-sh_1.2-r0_all.ipk", "Filename:", "Filename"),
    ("Size: 802", "Size: -1", "Size"),
    ("Size: 802", "Size: many", "Size"),
    ("Size: 802", "Size: 802\nSize: 803", "twice"),
    ("Package: hello-sh", "Package: ../x", "not a package name"),
    ("Package: hello-sh", "Package: lib*", "not a package name"),
    ("Version: 1.2-r0", "Version:", "Version"),
    ("Version: 1.2-r0", "Version: 1/../2", "Version"),
    ("SHA256sum: ab", "SHA256sum: xy", "SHA256sum"),
    ("Size: 802", "Size: +802", "Size"),
    ("Size: 802", "Size: 99999999999999999999", "Size"),
    ("Version: 1.2-r0", "Version: one:1", "Version"),
    ("Version: 1.2-r0", "Version: 1:", "Version"),
    ("Version: 1.2-r0", "Version: 99999999999:1", "Version"),
    ("MD5Sum: 01", "MD5Sum: 0x", "MD5Sum"),
    ("Filename: hello", "Filename: ./../hello", "Filename"),
    ("Size: 802", "Size: 802\n 803", "continues 'Size'"),
    ("SHA256sum: ab", "SHA256: \(String(repeating: "ab", count: 32))\nSHA256sum: ab", "twice"),
    ("License: MIT", "no colon here", "neither"),
    ("Package: hello-sh", " continues", "continues nothing"),
  ])
  func refuses(_ old: String, _ new: String, _ word: String) throws {
    let text = Self.stanza.replacing(old, with: new, maxReplacements: 1)
    let error = #expect(throws: FeedError.self) { try parse(text) }
    #expect(error?.description.contains(word) == true, "\(error?.description ?? "")")
  }

  /// The same index in pieces of any size gives the same stanzas at the same places.
  @Test(arguments: [1, 2, 7, 64, 1000])
  func piecesDoNotMatter(_ length: Int) throws {
    let bytes = Array(("\n" + Self.stanza + " \n\n" + Self.stanza.replacing("hello-sh\n", with: "other\n", maxReplacements: 1)).utf8)
    let whole = try PackageIndex(bytes, file: "Packages")
    var parser = IndexParser(isStrict: true)
    var held: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: length) {
      held += bytes[start..<min(start + length, bytes.count)]
      let isLast = start + length >= bytes.count
      held.removeFirst(held.withUnsafeBytes { parser.take($0, isLast: isLast) })
    }
    parser.finish()
    #expect(held.isEmpty)
    #expect(parser.stanzas == whole.stanzas)
    #expect(parser.places == whole.places)
    for (stanza, place) in zip(whole.stanzas, whole.places) {
      #expect(try PackageIndex(Array(bytes[place]), file: "place").stanzas == [stanza])
    }
  }

  /// A line of one blank is an empty line of the description, and ends the stanza anywhere else (libopkg/pkg_parse.c).
  @Test func blankLinesOfDescriptions() throws {
    let described = Self.stanza.replacing(" with a second line", with: " with a second line\n \n    \n and more")
    let two = described + "\n" + Self.stanza.replacing("hello-sh\n", with: "other\n", maxReplacements: 1)
    let index = try parse(two)
    #expect(index.stanzas.map(\.name.text) == ["hello-sh", "other"])
    #expect(index.stanzas[0].license == "MIT")
    let bytes = Array(two.utf8)
    #expect(String(decoding: bytes[index.places[0]], as: UTF8.self) + "\n" == described)
    let license = Self.stanza.replacing("Description: Demo\n", with: "Size2: 1\n \nDescription: Demo\n")
    let error = #expect(throws: FeedError.self) { try parse(license) }
    #expect(error?.description.contains("no 'Package'") == true, "\(error?.description ?? "")")
  }

  @Test func foldedValuesAreOneField() throws {
    let text = Self.stanza.replacing("License: MIT", with: "License: GPL-2.0-only &\n MIT")
    #expect(try parse(text).stanzas.first?.license == "GPL-2.0-only &")
  }

  @Test func giantLineIsRefused() throws {
    let text = "Package: a\nDescription: " + String(repeating: "x", count: IndexParser.lineLimit) + "\n"
    let error = #expect(throws: FeedError.self) { try parse(text) }
    #expect(error?.description == "Packages: line 2 is longer than 1024 KiB")
    // On disk, too, where it comes in pieces; 200 MiB without a line end are given up after the first few.
    try withScratchDirectory { scratch in
      #expect(FileManager.default.createFile(atPath: scratch + "/Packages", contents: Data("Package: a\n".utf8)))
      #expect(truncate(scratch + "/Packages", 200 << 20) == 0)
      let error = #expect(throws: FeedError.self) { try PackageIndex(path: scratch + "/Packages") }
      #expect(error?.description.hasSuffix("line 2 is longer than 1024 KiB") == true)
    }
  }

  @Test func aMillionStanzasAreRefused() throws {
    var bytes: [UInt8] = []
    for index in 0..<1_000_000 { bytes += "Package: p\(index)\nVersion: 1\nFilename: p\nSize: 1\n\n".utf8 }
    let error = #expect(throws: FeedError.self) { try PackageIndex(bytes, file: "Packages") }
    #expect(error?.description.contains("more than 200000 packages") == true)
  }

  @Test func tooLargeAnIndexIsRefused() throws {
    try withScratchDirectory { scratch in
      let line = Array("x:".utf8) + [UInt8](repeating: 32, count: 1_000_000) + [10]
      let file = try #require(FileManager.default.createFile(atPath: scratch + "/Packages", contents: nil) ? scratch + "/Packages" : nil)
      let handle = try #require(FileHandle(forWritingAtPath: file))
      for _ in 0...268 { handle.write(Data(line)) }
      let error = #expect(throws: FeedError.self) { try PackageIndex(path: file) }
      #expect(error?.description.hasSuffix("is larger than 256 MiB") == true)
    }
  }

  @Test func lenientReadingGoesOn() throws {
    var parser = IndexParser(isStrict: false)
    let text = "nonsense\n\n" + Self.stanza + "\nPackage: x\nVersion: 1\nSize: y\nFilename: /x\n\n" + Self.stanza
    _ = Array(text.utf8).withUnsafeBytes { parser.take($0, isLast: true) }
    parser.finish()
    #expect(parser.stanzas.count == 2)
    #expect(parser.problems.map(\.package) == [nil, "x", "x"])
    #expect(parser.problems.map(\.line) == [1, 22, 22])
  }

  /// Only that it is not worse than linear: deploy/bench index measures.
  @Test func largeIndexIsQuick() throws {
    let filler = String(repeating: " a line of a long description, as some packages have it\n", count: 170)
    let text = (0..<2000).map {
      "Package: p\($0)\nVersion: 1\nArchitecture: all\nFilename: p\($0).ipk\nSize: 1\nDescription: x\n\(filler)\n"
    }.joined()
    #expect(text.utf8.count > 18_000_000)
    let clock = ContinuousClock()
    var count = 0
    let spent = try clock.measure { count = try parse(text).stanzas.count }
    #expect(count == 2000)
    #expect(spent < .seconds(60))
  }
}
