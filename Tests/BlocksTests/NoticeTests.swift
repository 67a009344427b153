import Foundation
import TestFiles
import Testing

/// What is said about a block that was made.
@Suite struct NoticeTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var paths: [String]
    /// Words of the notice; empty: there is none.
    var words: [String]
    var testDescription: String { paths.joined(separator: " ") }
  }

  static let cases: [Case] = [
    Case(paths: ["lib/modules/6.1.0/kernel/a.ko"], words: ["1 kernel module of 6.1.0", "modules.dep", "a.ko"]),
    Case(paths: ["usr/lib/modules/6.1.0/extra/a.ko.xz", "usr/lib/modules/6.1.0/extra/b.ko.gz"], words: ["2 kernel modules", "a.ko.xz, b.ko.gz"]),
    Case(paths: ["lib/modules/6.1.0/a.ko.zst", "lib/modules/5.0/modules.dep"], words: ["of 6.1.0"]),
    Case(paths: ["lib/modules/6.1.0/a.ko", "lib/modules/6.1.0/modules.dep"], words: []),
    Case(paths: ["lib/modules/6.1.0/modules.alias", "opt/lib/modules/1/a.ko", "lib/modules/a.ko", "lib/modules/6.1.0/a.ko.txt"], words: []),
  ]

  @Test(arguments: cases) func kernelModules(_ one: Case) throws {
    try withScratchDirectory { scratch in
      let entries = one.paths.map { #"{"path": "\#($0)", "type": "file", "text": "x"}"# }.joined(separator: ", ")
      let feed = try TestFeed(in: scratch, description: #"[{"name": "modules", "version": "1", "arch": "all", "entries": [\#(entries)]}]"#)
      let notices = try feed.assemble(TestFeed.spec(["modules"]), in: scratch + "/work").0.notices
      #expect(notices.count == (one.words.isEmpty ? 0 : 1), "\(notices)")
      for word in one.words { #expect(notices.first?.contains(word) == true, "\(notices)") }
    }
  }
}
