import Foundation
import TestFiles
import TestGolden
import Testing

/// Comparison with files, and what a difference looks like.
@Suite struct GoldenTests {
  @Test func equalTextsHaveNoDifference() {
    #expect(TextDifference(from: "", to: "").lines == [])
    #expect(TextDifference(from: "a\nb\n", to: "a\nb\n").lines == [])
  }

  @Test func showsChangedLinesAndThreeAroundThem() {
    let numbers = (1...20).map { "\($0)\n" }
    var changed = numbers
    changed[9] = "ten\n"
    changed.remove(at: 18)
    #expect(
      TextDifference(from: numbers.joined(), to: changed.joined()).lines == [
        "@@ line 7", " 7", " 8", " 9", "-10", "+ten", " 11", " 12", " 13", "@@ line 16", " 16", " 17", " 18", "-19", " 20",
      ])
  }

  @Test(arguments: [
    ("a\n", "a", ["-a", "+a (no newline at the end)"]), ("a\n", "a \n", ["-a", #"+"a ""#]), ("a\n", "a\u{1B}[1m\n", ["-a", #"+"a\u{1B}[1m""#]),
    ("", "a\n", ["+a"]), ("a\n\n", "a\n", [" a", "-"]), ("a\n", "", ["-a"]),
  ])
  func showsWhatIsNotSeen(_ old: String, _ new: String, _ lines: [String]) {
    #expect(TextDifference(from: old, to: new).lines == lines)
  }

  @Test func isShortForTextsThatHaveNothingInCommon() {
    let lines = TextDifference(from: "", to: String(repeating: "x\n", count: 1000)).lines
    #expect(lines.count == 121 && lines.last == "… and 880 more lines")
  }

  /// As a test of that directory would have it.
  private func check(_ text: String, replacing: [String: String] = [:], in scratch: String) throws {
    try Golden.check("sample", text, replacing: replacing, testFile: scratch + "/SampleTests.swift")
  }

  @Test(.enabled(if: ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == nil)) func anotherTextIsAnIssueThatShowsTheLines() throws {
    try withScratchDirectory { scratch in
      try write(Array("one\ntwo\n".utf8), to: scratch + "/Golden/sample.txt")
      try check("one\ntwo\n", in: scratch)
      try withKnownIssue {
        try check("one\nthree\n", in: scratch)
      } matching: { issue in
        let text = issue.comments.first?.rawValue ?? ""
        return text.hasPrefix("Golden/sample.txt ") && text.hasSuffix(":\n one\n-two\n+three")
      }
      #expect(try String(contentsOfFile: scratch + "/Golden/sample.txt", encoding: .utf8) == "one\ntwo\n")
    }
  }

  @Test(.enabled(if: ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == nil)) func anAbsentFileIsAnIssue() throws {
    try withScratchDirectory { scratch in
      try withKnownIssue {
        try check("one\n", in: scratch)
      } matching: {
        $0.comments.first?.rawValue.contains("sample.txt is not there") == true
      }
    }
  }

  /// A path below a scratch directory must not become a word and a rest.
  @Test func longerPartsAreReplacedFirst() throws {
    try withScratchDirectory { scratch in
      try write(Array("<file> in <place>\n".utf8), to: scratch + "/Golden/sample.txt")
      for _ in 0..<10 { try check("/x/y/file in /x/y\n", replacing: ["/x/y": "<place>", "/x/y/file": "<file>"], in: scratch) }
    }
  }
}
