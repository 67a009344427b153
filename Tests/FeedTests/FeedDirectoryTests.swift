import Foundation
import TestFiles
import Testing

@testable import Feed

/// A wrong path is no empty feed.
@Suite struct FeedDirectoryTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var testDescription: String
    /// Files below a directory; what ends in `/` is a directory.
    var files: [String]
    /// What is named, below the directory.
    var path: String
    var architectures: [String]?
    /// The complaint; nil: it is a feed.
    var complaint: String?
  }

  static let question = "is it the directory above the architectures?"
  static let cases: [Case] = [
    Case(testDescription: "a feed", files: ["all/Packages", "any/"], path: "", complaint: nil),
    Case(testDescription: "without an index", files: ["all/a_1_all.ipk"], path: "", complaint: nil),
    Case(testDescription: "an empty index", files: ["all/Packages"], path: "", architectures: ["any", "all"], complaint: nil),
    Case(
      testDescription: "nothing there", files: ["all/Packages"], path: "/nowhere",
      complaint: "<feed>/nowhere is not a feed: No such file or directory"),
    Case(
      testDescription: "a file", files: ["all/Packages"], path: "/all/Packages",
      complaint: "<feed>/all/Packages is not a feed but a file; \(question)"),
    Case(
      testDescription: "one too deep", files: ["all/a_1_all.ipk"], path: "/all",
      complaint:
        "<feed>/all is not a feed: none of its directories holds packages or an index (Packages); \(question) It holds packages itself; its parent is <feed>"
    ),
    Case(
      testDescription: "one too deep, with a slash", files: ["all/a_1_all.ipk"], path: "/all/",
      complaint:
        "<feed>/all/ is not a feed: none of its directories holds packages or an index (Packages); \(question) It holds packages itself; its parent is <feed>"
    ),
    Case(
      testDescription: "one too high", files: ["ipk/Packages", "ipk/all/a_1_all.ipk", "images/x"], path: "",
      complaint: "<feed> is not a feed: none of its directories holds packages or an index (Packages); \(question) <feed>/ipk looks like one"),
    Case(
      testDescription: "something else", files: ["doc/a/copyright"], path: "/doc",
      complaint: "<feed>/doc is not a feed: none of its directories holds packages or an index (Packages); \(question)"),
    Case(
      testDescription: "empty directories", files: ["all/", "any/"], path: "",
      complaint: "<feed> is not a feed: none of its directories holds packages or an index (Packages); \(question)"),
    Case(
      testDescription: "architectures that are nowhere", files: ["all/Packages", "armv8a/Packages"], path: "", architectures: ["al", "armv9"],
      complaint: "<feed> has none of the directories al, armv9; \(question) It has all, armv8a"),
  ]

  @Test(arguments: cases) func isOne(_ one: Case) throws {
    try withScratchDirectory { scratch in
      for file in one.files {
        if file.hasSuffix("/") {
          try FileManager.default.createDirectory(atPath: "\(scratch)/\(file)", withIntermediateDirectories: true)
        } else {
          try TestFiles.write([], to: "\(scratch)/\(file)")
        }
      }
      var found: String?
      do throws(FeedError) {
        _ = try FeedDirectory(scratch + one.path, architectures: one.architectures)
      } catch {
        found = error.description.replacing(scratch, with: "<feed>")
      }
      #expect(found == one.complaint)
    }
  }

  /// PACKAGE_ARCHS names more directories than any feed has.
  @Test func someMayBeAbsent() throws {
    try withScratchDirectory { scratch in
      for name in ["all", "armv8a", "nativesdk"] { try TestFiles.write([], to: "\(scratch)/\(name)/Packages") }
      try TestFiles.write([], to: scratch + "/all/a_1_all.ipk")
      let found = try FeedDirectory(scratch, architectures: ["all", "any", "armv8a", "board"])
      #expect(found.architectures == ["all", "armv8a"] && found.absent == ["any", "board"])
      #expect(try FeedDirectory(scratch, architectures: nil).architectures == ["all", "armv8a", "nativesdk"])
      try FileManager.default.createSymbolicLink(atPath: scratch + "/link", withDestinationPath: scratch + "/all")
      try FileManager.default.createDirectory(atPath: scratch + "/other", withIntermediateDirectories: true)
      try FileManager.default.createSymbolicLink(atPath: scratch + "/other/all", withDestinationPath: scratch + "/all")
      let error = #expect(throws: FeedError.self) { try FeedDirectory(scratch + "/other", architectures: nil) }
      #expect(error?.description.hasSuffix("Symbolic links are not followed: all") == true, "\(error?.description ?? "")")
      // The feed itself may be behind one.
      try FileManager.default.createSymbolicLink(atPath: scratch + "-link", withDestinationPath: scratch)
      defer { try? FileManager.default.removeItem(atPath: scratch + "-link") }
      #expect(try FeedDirectory(scratch + "-link", architectures: ["all"]).architectures == ["all"])
    }
  }
}
