import Blocks
import BuildModel
import Feed
import Foundation
import TestFiles
import Testing

/// Listed names that packages provide, and packages that must not be beside each other.
@Suite struct ProvidedPackageTests {
  /// One package a text: `name version`, then fields, separated by `;`.
  static func description(_ packages: [String]) throws -> String {
    let all: [[String: Any]] = packages.map { text in
      let parts = text.split(separator: ";").map { $0.trimmingCharacters(in: .whitespaces) }
      let words = parts[0].split(separator: " ").map(String.init)
      return [
        "name": words[0], "version": words[1], "arch": "all", "container": words[0].hasPrefix("t") ? "tar" : "ar", "fields": Array(parts.dropFirst()),
        "entries": [["path": "usr/" + words[0], "type": "file", "text": words[1]]],
      ]
    }
    return String(decoding: try JSONSerialization.data(withJSONObject: all), as: UTF8.self)
  }

  func with(_ packages: [String], _ body: (TestFeed, String) throws -> Void) throws {
    try withScratchDirectory { scratch in try body(try TestFeed(in: scratch, description: Self.description(packages)), scratch) }
  }

  static let renamed = ["libhello1 1.0-r0; Provides: hello-lib (= 1.0), greeting", "tools 2; Provides: tool"]

  @Test func aProvidedNameIsTheProvider() throws {
    try with(Self.renamed) { feed, scratch in
      let spec = try TestFeed.spec(["hello-lib", "tools"])
      let (result, store) = try feed.assemble(spec, in: scratch + "/a")
      #expect(
        result.packages.map { "\($0.name) \($0.version) as \($0.listedAs.map { "\($0)" } ?? "-")" } == [
          "libhello1 1.0-r0 as [hello-lib]", "tools 2 as -",
        ])
      #expect(result.notices == ["'hello-lib' is provided by libhello1 1.0-r0"])
      #expect(try BlockVerification.verify(result, against: spec, in: store).count == 1)
      // The same packages by their own names are the same block.
      let (own, _) = try feed.assemble(TestFeed.spec(["libhello1", "tools"]), in: scratch + "/b")
      #expect(own.manifest == result.manifest && own.notices.isEmpty)
      // Who delivers something else for the name is found out.
      var other = result
      other.packages[0].listedAs = nil
      #expect(throws: BlocksError.self) { try BlockVerification.verify(other, against: spec, in: store) }
      other.packages[0].listedAs = try [PackageName("hello-lib"), PackageName("tools")]
      #expect(throws: BlocksError.self) { try BlockVerification.verify(other, against: spec, in: store) }
    }
  }

  @Test func theLockKeepsBothNames() throws {
    try with(Self.renamed) { feed, scratch in
      var spec = try TestFeed.spec(["hello-lib", "tool", "greeting"])
      let result = try feed.assemble(spec, in: scratch + "/a").0
      let lock = BlockLock(result, epoch: TestFeed.epoch)
      let text = String(decoding: try lock.bytes(), as: UTF8.self)
      #expect(text.contains(#""listedAs":["hello-lib","greeting"],"name":"libhello1""#), "\(text)")
      spec.lock = try BlockLock.parse(lock.bytes(), file: "lock")
      #expect(try feed.assemble(spec, in: scratch + "/b").0 == result)
      // Without the entry a lock is as it always was.
      let plain = try BlockLock(feed.assemble(TestFeed.spec(["tools"]), in: scratch + "/c").0, epoch: TestFeed.epoch).bytes()
      #expect(!String(decoding: plain, as: UTF8.self).contains("listedAs"))
      func refused(_ word: String, _ change: (inout BlockLock) throws -> Void) throws {
        var spec = spec
        var lock = lock
        try change(&lock)
        spec.lock = lock
        let error = #expect(throws: BlocksError.self) { try feed.assemble(spec, in: scratch + "/d") }
        #expect(error?.description.contains(word) == true, "\(error?.description ?? "")")
      }
      try refused("names a package twice") { $0.packages[1].listedAs = try [PackageName("tool"), PackageName("greeting")] }
      try refused("does not name greeting") { $0.packages[0].listedAs = try [PackageName("hello-lib")] }
      try refused("takes tools 2 (all) for 'hello-lib', which it does not provide") {
        $0.packages[0].listedAs = try [PackageName("greeting")]
        $0.packages[1].listedAs = try [PackageName("tool"), PackageName("hello-lib")]
      }
    }
  }

  @Test func theBillOfMaterialsSaysWhatWasListed() throws {
    try with(Self.renamed) { feed, scratch in
      let result = try feed.assemble(TestFeed.spec(["hello-lib", "tools"]), in: scratch + "/a").0
      let text = String(decoding: try BillOfMaterials(result, epoch: TestFeed.epoch).bytes(), as: UTF8.self)
      #expect(text.contains(#""comment":"The block lists it as hello-lib""#) && text.contains(#""name":"libhello1""#), "\(text)")
      #expect(text.components(separatedBy: "comment\"").count == 2)
    }
  }

  /// The feed, the list, and the complaint.
  @Test(
    arguments: [
      (
        ["one 1; Provides: v", "two 2-r1; Provides: v (= 7)"], ["v"],
        "block acme-tools: no package of the feed is called 'v', and 2 provide it: one 1 (all), two 2-r1 (all); list the one that is meant"
      ),
      (["one 1; Provides: v"], ["w-v"], "block acme-tools: package 'w-v' is not in the feed; nearest: v"),
      (
        ["one 1; Conflicts: two", "two 2"], ["one", "two"],
        "block acme-tools: packages that cannot be together: one 1 conflicts with 'two', which is two 2"
      ),
      (
        ["one 1; Conflicts: two (<< 2)", "two 1.9"], ["two", "one"],
        "block acme-tools: packages that cannot be together: one 1 conflicts with 'two (<< 2)', which is two 1.9"
      ),
      (
        ["one 1; Conflicts: v", "two 2; Provides: v"], ["one", "two"],
        "block acme-tools: packages that cannot be together: one 1 conflicts with 'v', which is provided by two 2"
      ),
      (
        ["one 1; Conflicts: x | v (>= 3)", "two 2; Provides: v (= 3)"], ["one", "v"],
        "block acme-tools: packages that cannot be together: one 1 conflicts with 'v (>= 3)', which is provided by two 2"
      ),
      (
        ["one 1; Provides: v; Conflicts: v; Replaces: v", "two 2; Provides: v; Conflicts: v; Replaces: v"], ["one", "two"],
        "block acme-tools: packages that cannot be together: one 1 conflicts with 'v', which is provided by two 2; "
          + "two 2 conflicts with 'v', which is provided by one 1"
      ),
      (
        ["one 1; Conflicts: two; Replaces: two", "two 2"], ["one", "two"],
        "block acme-tools: packages that cannot be together: one 1 conflicts with 'two', which is two 2"
      ),
    ] as [([String], [String], String)])
  func refuses(_ packages: [String], _ list: [String], _ complaint: String) throws {
    try with(packages) { feed, scratch in
      let error = #expect(throws: BlocksError.self) { try feed.assemble(TestFeed.spec(list), in: scratch + "/a") }
      #expect(error?.description == complaint)
      #expect(error?.blame == .request)
    }
  }

  /// What looks like a conflict and is none: with itself, with another version, with a name that is provided without a version, with what is not listed.
  @Test(
    arguments: [
      (["one 1; Provides: v; Conflicts: v; Replaces: v"], ["one"], []), (["one 1; Conflicts: two (<< 2)", "two 2"], ["one", "two"], []),
      (["one 1; Conflicts: v (<< 9)", "two 2; Provides: v"], ["one", "two"], []),
      (["one 1; Conflicts: v (<< 3)", "two 2; Provides: v (= 3)"], ["one", "two"], []), (["one 1; Conflicts: two", "two 2"], ["one"], []),
      (
        ["one 1; Provides: v; Conflicts: v; Replaces: v"], ["v"], ["'v' is provided by one 1"]
      ),
      (
        ["one 1; Provides: v", "two 2; Provides: v; Replaces: one; Conflicts: one"], ["v"], ["'v' is provided by two 2, which replaces one"]
      ),
      (
        ["one 1; Conflicts: two three"], ["one"],
        ["package one: a part of its index is not used, because it cannot be read: Conflicts: two three"]
      ),
    ] as [([String], [String], [String])])
  func takes(_ packages: [String], _ list: [String], _ notices: [String]) throws {
    try with(packages) { feed, scratch in
      let result = try feed.assemble(TestFeed.spec(list), in: scratch + "/a").0
      #expect(result.packages.flatMap(\.listed).map(\.text) == list)
      #expect(result.notices == notices)
    }
  }
}
