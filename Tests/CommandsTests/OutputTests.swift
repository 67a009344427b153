import Foundation
import TestFiles
import TestGolden
import TestPeers
import Testing

/// Results go to standard output, or the command says that they did not.
@Suite(.serialized) struct OutputTests {
  private static let farm = Result { try SampleFarm() }

  /// A command with its standard output sent elsewhere by a shell.
  private func run(_ arguments: [String], to redirection: String) throws -> Child.Ended {
    let farm = try Self.farm.get()
    let words = try ["sh", "-c", "\"$@\" \(redirection)", "sh"] + OrdinaryUser.words + [SampleFarm.program("blockfarm")] + arguments
    return try Child(words, environment: SampleFarm.environment(home: farm.directory), directory: farm.directory, limit: 120).wait()
  }

  /// A feed of one package, a block made of it, and a second one.
  private func prepare() throws {
    let farm = try Self.farm.get()
    if FileManager.default.fileExists(atPath: farm.directory + "/feed") { return }
    let package = #"[{"name": "a", "version": "1", "arch": "all", "entries": [{"path": "a", "type": "file", "text": "1"}]}]"#
    let script = Project.path + "/Tests/BlocksTests/Fixtures/make-feed.py"
    let made = try Child(
      ["sh", "-c", "printf %s \"$1\" | python3 \"$2\" feed && chmod -R a+rwX feed", "sh", package, script],
      environment: SampleFarm.environment(home: farm.directory), directory: farm.directory
    ).wait()
    try #require(made.status == 0, "\(made)")
    for (name, label) in [("one", "a=1"), ("two", "a=2")] {
      let built = try run(
        [
          "block", "build", "--feed", "feed", "--archs", "all", "--name", "b", "--package", "a", "--arch", "amd64", "--label", label, "--output",
          name,
        ],
        to: "> /dev/null")
      try #require(built.status == 0, "\(built)")
    }
  }

  static let commands: [[String]] = [
    ["feed", "check", "feed"], ["feed", "check", "feed", "--json"], ["feed", "list", "feed"], ["feed", "list", "feed", "--json"],
    ["feed", "index", "feed"], ["block", "inspect", "one"], ["block", "inspect", "one", "--files", "--json"], ["block", "diff", "one", "two"],
    ["block", "diff", "one", "two", "--json"],
    ["block", "build", "--feed", "feed", "--archs", "all", "--name", "b", "--package", "a", "--arch", "amd64", "--output", "three"],
    ["plan", "--all"], ["plan", "--all", "--blocks", "all", "--explain"], ["plan", "--all", "--json"], ["worker", "list"],
    ["worker", "list", "--json"],
    ["worker", "check", "--json"], ["--help"], ["help", "build"], ["feed", "--help"], ["--version"], ["--generate-completion-script", "bash"],
  ]

  @Test(arguments: commands) func aFullDiskIsNoticed(_ command: [String]) throws {
    try prepare()
    let ended = try run(command, to: "> /dev/full")
    #expect(ended.status == 3, "\(ended)")
    #expect(ended.errors.hasSuffix("blockfarm: standard output cannot be written: No space left on device\n"), "\(ended)")
  }

  @Test func aClosedOutputIsNoticed() throws {
    try prepare()
    for command in [["feed", "list", "feed"], ["plan", "--all"]] {
      let ended = try run(command, to: ">&-")
      #expect(ended.status == 3 && ended.errors.hasSuffix("standard output cannot be written: Bad file descriptor\n"), "\(ended)")
    }
  }

  /// A reader that has enough ends the writer as it ends others, without a word.
  @Test func aClosedPipeEndsQuietly() throws {
    try prepare()
    for command in [["feed", "list", "feed", "--json"], ["plan", "--all", "--json"], ["--help"]] {
      // bash waits for the reader's end, so that nobody reads when the command begins.
      let farm = try Self.farm.get()
      let words =
        try ["bash", "-c", "exec 3> >(exec true); wait $!; exec \"$@\" >&3", "bash"] + OrdinaryUser.words + [
          SampleFarm.program("blockfarm")
        ]
      let piped = try Child(words + command, environment: SampleFarm.environment(home: farm.directory), directory: farm.directory, limit: 120).wait()
      #expect(piped.status == 141 && piped.errors.isEmpty, "\(piped)")
    }
  }

  /// The logs of an attempt are more than a pipe holds.
  @Test func logsAreNoticedToo() throws {
    let farm = try SampleFarm()
    #expect(try farm.build("-m", "acme-board64").status == 0)
    for (redirection, status) in [("> /dev/full", Int32(3)), ("> /dev/null", 0)] {
      let words = try ["sh", "-c", "\"$@\" \(redirection)", "sh"] + OrdinaryUser.words + [SampleFarm.program("blockfarm"), "logs", "acme-board64"]
      let ended = try Child(words, environment: SampleFarm.environment(home: farm.directory), directory: farm.directory, limit: 120).wait()
      #expect(ended.status == status, "\(ended)")
      #expect(ended.errors == (status == 0 ? "" : "blockfarm: standard output cannot be written: No space left on device\n"))
    }
  }

  /// Swift's own `print` notices nothing: no command may use it.
  @Test func nobodyPrintsPastTheWriter() throws {
    let directory = Project.path + "/Sources/Coordinator/Commands"
    let files = try #require(FileManager.default.enumerator(atPath: directory)).compactMap { $0 as? String }.filter { $0.hasSuffix(".swift") }
    #expect(files.count > 20)
    for file in files {
      let text = try String(contentsOfFile: directory + "/" + file, encoding: .utf8)
      if !["Results.swift", "Diagnostics.swift"].contains(where: { file.hasSuffix($0) }) {
        #expect(!text.contains(/(?:^|[^.\w])print\(/), "\(file)")
      }
      #expect(!text.contains("STDOUT_FILENO") || file.hasSuffix("Results.swift"), "\(file)")
    }
  }
}
