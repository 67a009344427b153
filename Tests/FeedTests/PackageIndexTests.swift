import BuildModel
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
    ("License: MIT", "no colon here", "neither"),
    ("Package: hello-sh", " continues", "continues nothing"),
  ])
  func refuses(_ old: String, _ new: String, _ word: String) throws {
    let text = Self.stanza.replacing(old, with: new, maxReplacements: 1)
    let error = #expect(throws: FeedError.self) { try parse(text) }
    #expect(error?.description.contains(word) == true, "\(error?.description ?? "")")
  }

  @Test func largeIndexIsQuick() throws {
    let filler = String(repeating: " a line of a long description, as some packages have it\n", count: 170)
    let text = (0..<2000).map { "Package: p\($0)\nVersion: 1\nFilename: p\($0).ipk\nSize: 1\nDescription: x\n\(filler)\n" }.joined()
    let bytes = Array(text.utf8)
    #expect(bytes.count > 18_000_000)
    let clock = ContinuousClock()
    var count = 0
    let spent = try clock.measure { count = try PackageIndex(bytes, file: "Packages").stanzas.count }
    #expect(count == 2000)
    // A debug build is far slower than the 0.2 s that a release build may take; this catches what is worse than linear.
    #expect(spent < .seconds(60))
  }
}
