import BuildModel
import Testing

@testable import Planning

/// What a person reads of git's words, from what real programs print.
@Suite struct GitComplaintTests {
  static let cases: [(printed: String, reason: String)] = [
    (
      "ssh: Could not resolve hostname git.example.invalid: Name or service not known\r\nfatal: Could not read from remote repository.\n\n"
        + "Please make sure you have the correct access rights\nand the repository exists.\n",
      "ssh: Could not resolve hostname git.example.invalid: Name or service not known; Could not read from remote repository."
    ),
    (
      "git@example.org: Permission denied (publickey).\nfatal: Could not read from remote repository.\n\nPlease make sure you have the correct access "
        + "rights\nand the repository exists.\n", "git@example.org: Permission denied (publickey).; Could not read from remote repository."
    ),
    (
      "error: Could not read 2d4e8b\nfatal: Failed to traverse parents of commit 9f00\nerror: pack-objects died\n",
      "Could not read 2d4e8b; Failed to traverse parents of commit 9f00; pack-objects died"
    ),
    (
      "remote: Repository not found.\nfatal: repository 'https://example.org/x/' not found\n",
      "Repository not found.; repository 'https://example.org/x/' not found"
    ),
    (
      "fatal: clone of 'https://x.invalid/y' into submodule path '/a/b' failed\nFailed to clone 'b'. Retry scheduled\nAborting\n",
      "clone of 'https://x.invalid/y' into submodule path '/a/b' failed"
    ),
    ("fatal: \u{1b}]0;title\u{7}\u{9b}31mred\nhint: try again\n", "?]0;title??31mred"),
  ]

  @Test(arguments: cases) func keepsTheCause(_ example: (printed: String, reason: String)) {
    var complaint = GitComplaint()
    for byte in example.printed.utf8 { complaint.append([byte]) }
    #expect(complaint.reason == example.reason)
  }

  /// A remote that is down is not the repository's fault.
  @Test(
    arguments: [
      (
        "ssh: Could not resolve hostname git.example.invalid: Name or service not known\r\nfatal: Could not read from remote repository.\n",
        Blame.cloud
      ),
      ("fatal: unable to access 'https://x.invalid/': Could not resolve host: x.invalid\n", .cloud),
      ("ssh: connect to host 127.0.0.1 port 1: Connection refused\r\nfatal: Could not read from remote repository.\n", .cloud),
      ("fatal: unable to access 'http://127.0.0.1:1/x/': Failed to connect to 127.0.0.1 port 1: Connection refused\n", .cloud),
      ("fatal: unable to access 'http://127.0.0.1:1/x/': The requested URL returned error: 503\n", .cloud),
      ("ssh: connect to host 10.0.0.1 port 22: Network is unreachable\r\n", .coordinator),
      ("remote: Repository not found.\nfatal: repository 'https://example.org/x/' not found\n", nil),
      ("git@example.org: Permission denied (publickey).\r\nfatal: Could not read from remote repository.\n", nil),
      ("fatal: '/gone' does not appear to be a git repository\nfatal: Could not read from remote repository.\n", nil),
    ] as [(String, Blame?)])
  func tellsAnUnreachableRemote(_ printed: String, _ blame: Blame?) {
    var complaint = GitComplaint()
    complaint.append(Array(printed.utf8))
    #expect(complaint.unreachable == blame)
  }

  @Test func isBounded() {
    var complaint = GitComplaint()
    #expect(complaint.reason == nil && !complaint.isOutOfSpace)
    complaint.append(Array("error: the cause\n".utf8))
    for number in 0..<200_000 { complaint.append(Array("error: consequence \(number)\n".utf8)) }
    complaint.append(Array("fatal: the end: No space left on device\n".utf8))
    let reason = complaint.reason ?? ""
    #expect(reason.hasPrefix("the cause; ") && reason.hasSuffix("; the end: No space left on device") && complaint.isOutOfSpace)
    complaint = GitComplaint()
    complaint.append([UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20))
    #expect((complaint.reason ?? "").count < 400)
  }
}
