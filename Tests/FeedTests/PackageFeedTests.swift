import BuildModel
import Foundation
import TestFiles
import Testing

import struct Crypto.SHA256

@testable import Feed

@Suite struct PackageFeedTests {
  /// Writes a package file of the given content and returns its stanza.
  func package(_ name: String, _ version: String, in directory: String, root: String, content: String = "x") throws -> String {
    let file = "\(name)_\(version)_\(directory).ipk"
    try write(Array(content.utf8), to: "\(root)/\(directory)/\(file)")
    let digest = try #require(Digest(bytes: SHA256.hash(data: Data(content.utf8))))
    return
      "Package: \(name)\nVersion: \(version)\nArchitecture: \(directory)\nFilename: \(file)\nSize: \(content.utf8.count)\nSHA256sum: \(digest.hex)\n\n"
  }

  func index(_ text: String, of directory: String, root: String) throws {
    try write(Array(text.utf8), to: "\(root)/\(directory)/Packages")
    // An uncompressed copy is read the same way as a compressed one.
    try write(Array(text.utf8), to: "\(root)/\(directory)/Packages.gz")
  }

  struct Table: Decodable {
    struct MachineRow: Decodable {
      var machine: String
      var tune: String
    }
    struct Example: Decodable {
      var machine: String
      var release: String
      var archs: [String]
      var priorities: [Int]
    }
    var tunes: [String: [String: [String]]]
    var machines: [MachineRow]
    var example: Example
  }

  static func table() throws -> Table {
    let url = try #require(Bundle.module.url(forResource: "package-archs", withExtension: "json", subdirectory: "Fixtures"))
    return try JSONDecoder().decode(Table.self, from: Data(contentsOf: url))
  }

  /// For every tune of the table: the feed keeps PACKAGE_ARCHS' order whatever the directories' order, and each one beats all before it.
  @Test func everyTuneKeepsItsOrder() throws {
    let table = try Self.table()
    var count = 0
    for (release, tunes) in table.tunes {
      for (tune, extra) in tunes {
        try withScratchDirectory { root in
          let archs = ["all", "any", "noarch"] + extra + ["acme_board"]
          for (place, arch) in archs.enumerated().shuffled() {
            // Lower preference, higher version: the architecture decides.
            try index(try package("p", "\(100 - place)", in: arch, root: root), of: arch, root: root)
          }
          try index("", of: "x86_64-nativesdk", root: root)
          for length in [1, archs.count / 2, archs.count] {
            let feed = try PackageFeed(root: root, architectures: Array(archs[..<length]))
            #expect(feed.architectures == Array(archs[..<length]), "\(release) \(tune)")
            #expect(feed.candidates[try PackageName("p")]?.map(\.directory) == archs[..<length].reversed(), "\(release) \(tune)")
            #expect(feed.ignoredDirectories.contains("x86_64-nativesdk"))
          }
          count += 1
        }
      }
    }
    #expect(count == table.tunes.values.map(\.count).reduce(0, +) && count > 40)
  }

  /// The value that ships is the table: for every tune and release, all directories of the list are there in its order, and for machines their own is last.
  @Test func tableThatShips() throws {
    let table = try Self.table()
    var tunes: Set<String> = []
    for (release, lists) in table.tunes {
      for (tune, extra) in lists {
        let shipped = try TunePackageArchitectures(tune).architectures
        #expect(
          shipped.filter { ["all", "any", "noarch"].contains($0) || extra.contains($0) } == ["all", "any", "noarch"] + extra, "\(release) \(tune)")
        // Nothing is in it that no release knows.
        #expect(table.tunes.values.contains { $0[tune].map { ["all", "any", "noarch"] + $0 == shipped } ?? false }, "\(tune)")
        tunes.insert(tune)
      }
    }
    let machines = table.machines.filter { tunes.contains($0.tune) }
    for row in machines {
      let shipped = try TunePackageArchitectures(row.machine).architectures
      #expect(shipped == (try TunePackageArchitectures(row.tune).architectures) + [row.machine.replacingOccurrences(of: "-", with: "_")])
    }
    #expect(TunePackageArchitectures.known == (tunes + machines.map(\.machine)).sorted())
  }

  @Test func unknownTuneListsTheKnown() {
    let error = #expect(throws: FeedError.self) { try TunePackageArchitectures("cortexa99") }
    for word in ["'cortexa99'", "cortexa72", "raspberrypi4-64", "PACKAGE_ARCHS"] { #expect(error?.description.contains(word) == true) }
  }

  @Test func exampleOfTheTable() throws {
    let table = try Self.table()
    let example = table.example
    let tune = try #require(table.machines.first { $0.machine == example.machine }?.tune)
    let extra = try #require(table.tunes[example.release]?[tune])
    let archs = ["all", "any", "noarch"] + extra + [example.machine.replacingOccurrences(of: "-", with: "_")]
    #expect(archs == example.archs)
    #expect(archs.indices.map { 1 + 5 * $0 } == example.priorities)
  }

  @Test func newestVersionWithinOneArchitecture() throws {
    try withScratchDirectory { root in
      let text = try ["1.9-r0", "1.10-r0", "1.10~rc1-r0", "1:0.1-r0", "1.2-r0"].map { try package("p", $0, in: "all", root: root) }.joined()
      try index(text, of: "all", root: root)
      let feed = try PackageFeed(root: root, architectures: ["all", "noarch", "all"])
      #expect(feed.architectures == ["all"])
      #expect(feed.candidates[try PackageName("p")]?.map(\.stanza.version.text) == ["1:0.1-r0", "1.10-r0", "1.10~rc1-r0", "1.9-r0", "1.2-r0"])
      #expect(try feed.verify() == 5)
    }
  }

  @Test func repeatedStanzas() throws {
    try withScratchDirectory { root in
      let one = try package("p", "1.0", in: "all", root: root)
      try index(one + one, of: "all", root: root)
      #expect(try PackageFeed(root: root, architectures: ["all"]).candidates[PackageName("p")]?.count == 1)
      let other = try package("p", "1.00", in: "all", root: root, content: "other")
      try index(one + other, of: "all", root: root)
      let error = #expect(throws: FeedError.self) { try PackageFeed(root: root, architectures: ["all"]) }
      #expect(error?.description.contains("listed twice") == true)
    }
  }

  @Test func directoriesWithoutIndex() throws {
    try withScratchDirectory { root in
      try FileManager.default.createDirectory(atPath: root + "/any", withIntermediateDirectories: true)
      try index(try package("p", "1", in: "all", root: root), of: "all", root: root)
      #expect(try PackageFeed(root: root, architectures: ["all", "any"]).verify() == 1)
      try write([1], to: root + "/any/stray_1_any.ipk")
      let error = #expect(throws: FeedError.self) { try PackageFeed(root: root, architectures: ["all", "any"]) }
      #expect(error?.description.contains("package-index") == true)
    }
  }

  struct Lie: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var word: String
    var tell: @Sendable (_ root: String) throws -> Void
  }

  static let lies: [Lie] = [
    Lie(testDescription: "behind a link", word: "symbolic link") {
      try FileManager.default.moveItem(atPath: $0 + "/all/p_1_all.ipk", toPath: $0 + "/p_1_all.ipk")
      try FileManager.default.createSymbolicLink(atPath: $0 + "/all/out", withDestinationPath: "..")
      let text = try String(contentsOfFile: $0 + "/all/Packages", encoding: .utf8).replacing("Filename: p", with: "Filename: out/p")
      for name in ["Packages", "Packages.gz"] { try write(Array(text.utf8), to: $0 + "/all/" + name) }
    },
    Lie(testDescription: "index is a link", word: "symbolic link") {
      try FileManager.default.moveItem(atPath: $0 + "/all/Packages", toPath: $0 + "/Packages")
      try FileManager.default.createSymbolicLink(atPath: $0 + "/all/Packages", withDestinationPath: "../Packages")
    },
    Lie(testDescription: "index is a loop", word: "symbolic link") {
      try FileManager.default.removeItem(atPath: $0 + "/all/Packages")
      try FileManager.default.createSymbolicLink(atPath: $0 + "/all/Packages", withDestinationPath: "Packages")
    },
    Lie(testDescription: "index is a pipe", word: "no regular file") {
      try FileManager.default.removeItem(atPath: $0 + "/all/Packages")
      #expect(mkfifo($0 + "/all/Packages", 0o644) == 0)
    },
    Lie(testDescription: "size", word: "its index says") { try write(Array("longer".utf8), to: $0 + "/all/p_1_all.ipk") },
    Lie(testDescription: "content", word: "sha256") { try write(Array("y".utf8), to: $0 + "/all/p_1_all.ipk") },
    Lie(testDescription: "missing file", word: "not there") { try FileManager.default.removeItem(atPath: $0 + "/all/p_1_all.ipk") },
    Lie(testDescription: "link out of the feed", word: "no regular file") {
      try FileManager.default.removeItem(atPath: $0 + "/all/p_1_all.ipk")
      try write(Array("x".utf8), to: $0 + "/outside")
      try FileManager.default.createSymbolicLink(atPath: $0 + "/all/p_1_all.ipk", withDestinationPath: $0 + "/outside")
    },
    Lie(testDescription: "unlisted", word: "not listed") { try write([1], to: $0 + "/all/other_1_all.ipk") },
    Lie(testDescription: "other Packages.gz", word: "differs") { try write(Array("Package: q\n".utf8), to: $0 + "/all/Packages.gz") },
    Lie(testDescription: "another feed", word: "another feed") { root in
      for file in ["Packages", "Packages.gz"] {
        let text = try String(contentsOfFile: "\(root)/all/\(file)", encoding: .utf8)
        try write(Array(text.replacing("Architecture: all", with: "Architecture: mips").utf8), to: "\(root)/all/\(file)")
      }
    },
    Lie(testDescription: "no digest", word: "neither") { root in
      for file in ["Packages", "Packages.gz"] {
        let text = try String(contentsOfFile: "\(root)/all/\(file)", encoding: .utf8)
        try write(Array(text.replacing("SHA256sum", with: "SHA3sum").utf8), to: "\(root)/all/\(file)")
      }
    },
  ]

  @Test(arguments: lies) func findsLies(_ lie: Lie) throws {
    try withScratchDirectory { root in
      try index(try package("p", "1", in: "all", root: root), of: "all", root: root)
      #expect(try PackageFeed(root: root, architectures: ["all"]).verify() == 1)
      try lie.tell(root)
      let error = #expect(throws: FeedError.self) { try PackageFeed(root: root, architectures: ["all"]).verify() }
      #expect(error?.description.contains(lie.word) == true, "\(error?.description ?? "")")
    }
  }

  @Test func md5OnlyWhereThereIsNothingBetter() throws {
    try withScratchDirectory { root in
      let text = try package("p", "1", in: "all", root: root)
      let weak = text.split(separator: "\n").filter { !$0.hasPrefix("SHA256sum") }.joined(separator: "\n")
      try index(weak + "\nMD5Sum: 9dd4e461268c8034f5c8564e155c67a6\n", of: "all", root: root)
      #expect(try PackageFeed(root: root, architectures: ["all"]).verify() == 1)
      try index(weak + "\nMD5Sum: 00000000000000000000000000000000\n", of: "all", root: root)
      #expect(throws: FeedError.self) { try PackageFeed(root: root, architectures: ["all"]).verify() }
      // A right md5 does not excuse a wrong sha256.
      try index(
        weak + "\nMD5Sum: 9dd4e461268c8034f5c8564e155c67a6\nSHA256sum: \(String(repeating: "0", count: 64))\n", of: "all", root: root)
      #expect(throws: FeedError.self) { try PackageFeed(root: root, architectures: ["all"]).verify() }
    }
  }
}
