import BuildModel
import Foundation
import TestFiles
import Testing

@testable import Feed

/// Names that packages have besides their own.
@Suite struct ProvidedNameTests {
  /// Packages as `name version directory`, with relations after a `|`.
  func feed(_ packages: [String], _ body: (PackageFeed) throws -> Void) throws {
    try withScratchDirectory { scratch in
      let feed = try TestFeed(scratch)
      for text in packages {
        let parts = text.split(separator: "|", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
        let words = parts[0].split(separator: " ").map(String.init)
        let relations = parts.count > 1 ? parts[1].split(separator: ";").map { $0.trimmingCharacters(in: .whitespaces) + "\n" }.joined() : ""
        try feed.add(words[0], words[1], words[2], relations: relations)
      }
      try feed.writeIndexes()
      try body(try PackageFeed(root: scratch, architectures: ["all", "armv8a", "board"]))
    }
  }

  /// What the names stand for, or the complaint.
  func chosen(_ names: [String], _ packages: [String]) throws -> [String] {
    var found: [String] = []
    try feed(packages) { feed in
      do {
        found = try FeedSelection(names.map { try PackageName($0) }, from: feed).items.map {
          "\($0.candidate.label) for \($0.listedAs.map(\.text).joined(separator: "+"))"
        }
      } catch let error as FeedError {
        found = [error.description.replacing(feed.root, with: "<feed>")]
      }
    }
    return found
  }

  struct Case: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var names: [String]
    var packages: [String]
    var chosen: [String]
  }

  static let cases: [Case] = [
    Case(
      testDescription: "renamed by debian.bbclass", names: ["hello-lib"], packages: ["libhello1 1.0-r0 all | Provides: hello-lib"],
      chosen: ["libhello1 1.0-r0 (all) for hello-lib"]),
    Case(
      testDescription: "with a version", names: ["hello-lib"], packages: ["libhello1 1.0-r0 all | Provides: other, hello-lib (= 1.0)"],
      chosen: ["libhello1 1.0-r0 (all) for hello-lib"]),
    Case(
      testDescription: "the real name first", names: ["real"], packages: ["real 1 all", "fake 9 board | Provides: real"],
      chosen: ["real 1 (all) for real"]),
    Case(
      testDescription: "architecture before version", names: ["v"],
      packages: ["p 1 board | Provides: v", "p 2 armv8a | Provides: v", "p 3 all | Provides: v"], chosen: ["p 1 (board) for v"]),
    Case(
      testDescription: "the newest that provides it", names: ["v"], packages: ["p 1 all | Provides: v", "p 2 all | Provides: v", "p 3 all"],
      chosen: ["p 2 (all) for v"]),
    Case(
      testDescription: "several", names: ["v"],
      packages: ["b 2 all | Provides: v", "a 1 board | Provides: v (= 3)", "a 0 all | Provides: v"],
      chosen: ["feed <feed>: no package is called 'v', and 2 provide it: a 1 (board), b 2 (all); name the one that is meant"]),
    Case(
      testDescription: "a successor", names: ["v"],
      packages: ["old 9 board | Provides: v", "new 1 all | Provides: v; Replaces: old; Conflicts: old"],
      chosen: ["new 1 (all) for v"]),
    Case(
      testDescription: "the successor of older ones only", names: ["v"],
      packages: ["old 9 board | Provides: v", "new 1 all | Provides: v; Replaces: old (<< 9); Conflicts: old (<< 9)"],
      chosen: ["feed <feed>: no package is called 'v', and 2 provide it: new 1 (all), old 9 (board); name the one that is meant"]),
    Case(
      testDescription: "each the other's successor", names: ["v"],
      packages: ["a 1 all | Provides: v; Replaces: b; Conflicts: b", "b 1 all | Provides: v; Replaces: a; Conflicts: a"],
      chosen: ["feed <feed>: no package is called 'v', and 2 provide it: a 1 (all), b 1 (all); name the one that is meant"]),
    Case(
      testDescription: "by both names", names: ["x", "libx", "x"], packages: ["libx 1 all | Provides: x"], chosen: ["libx 1 (all) for x+libx"]),
    Case(
      testDescription: "the best that has all names", names: ["libx", "x"], packages: ["libx 1 all | Provides: x", "libx 2 all"],
      chosen: ["libx 1 (all) for libx+x"]),
    Case(
      testDescription: "in the order of the list", names: ["z", "v", "a"], packages: ["a 1 all", "p 1 all | Provides: v", "z 1 all"],
      chosen: ["z 1 (all) for z", "p 1 (all) for v", "a 1 (all) for a"]),
    Case(
      testDescription: "no version has both", names: ["x", "y"], packages: ["p 1 all | Provides: x", "p 2 all | Provides: y"],
      chosen: ["feed: <feed>: no version of p has all the names x, y: p 2 (all), p 1 (all)"]),
    Case(
      testDescription: "missing", names: ["hello-lip"], packages: ["libhello1 1 all | Provides: hello-lib"],
      chosen: ["feed <feed>: package 'hello-lip' is not there; nearest: hello-lib"]),
    Case(testDescription: "its own name again", names: ["p"], packages: ["p 1 all | Provides: p"], chosen: ["p 1 (all) for p"]),
  ]

  @Test(arguments: cases) func stands(_ one: Case) throws { #expect(try chosen(one.names, one.packages) == one.chosen) }

  /// Folded lines belong to the field; what cannot be read is reported and stops nothing.
  @Test func areReadFromAnIndex() throws {
    let text = """
      Package: a
      Version: 1
      Architecture: all
      Provides: one (= 1),
       two
      Conflicts: three | four (<< 2),
      Replaces: five six
      Filename: a.ipk
      Size: 1

      """
    let stanza = try #require(try PackageIndex(Array(text.utf8), file: "Packages").stanzas.first)
    #expect(stanza.provides.map(\.description) == ["one (= 1)", "two"])
    #expect(stanza.conflicts.map(\.description) == ["three", "four (<< 2)"])
    #expect(stanza.replaces == [] && stanza.unreadableRelations == ["Replaces: five six"])
    #expect(stanza.offers.map(\.description) == ["a (= 1)", "one (= 1)", "two"])
  }

  /// Two bytes of an index cost a hundred in memory.
  @Test func aMillionNamesAreRefused() throws {
    let names = String(repeating: "a,", count: 50_000)
    let text = (0..<25).map { "Package: p\($0)\nVersion: 1\nFilename: p\nSize: 1\nProvides: \(names)\n\n" }.joined()
    let error = #expect(throws: FeedError.self) { try PackageIndex(Array(text.utf8), file: "Packages") }
    #expect(error?.description.hasSuffix("more than 1000000 names in Provides, Conflicts and Replaces") == true, "\(error?.description ?? "")")
  }

  @Test func unreadableOnesAreNoErrors() throws {
    try withScratchDirectory { scratch in
      let feed = try TestFeed(scratch)
      try feed.add("a", "1", "all", relations: "Provides: v (= ?/?), w\n")
      try feed.writeIndexes()
      let report = try FeedCheck(root: scratch, architectures: nil, depth: .packages).run()
      #expect(report.errorCount == 0)
      #expect(report.findings.map { "\($0.rule.rawValue): \($0.reason)" } == ["relation: cannot be read and is not used: Provides: v (= ?/?)"])
    }
  }
}
