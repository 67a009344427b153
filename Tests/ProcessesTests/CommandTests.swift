import Foundation
import Processes
import Testing

extension ProcessesTests {
  /// What a child is given: its words, its streams, its environment, its directory; and programs that cannot be run.
  @Suite struct CommandTests {
    @Test func bothStreamsComeInTheirOrderOrApart() throws {
      let script = "echo out; echo err >&2; echo more"
      #expect(try ChildProcess.capture(shell(script), seconds: 20).output == "out\nerr\nmore\n")
      var streams = ["", ""]
      let end = try ChildProcess.run(
        shell(script + "; exit 4"), limits: .total(20), errors: { streams[1] += String(decoding: $0, as: UTF8.self) },
        output: { streams[0] += String(decoding: $0, as: UTF8.self) })
      #expect(end == .exited(4))
      #expect(streams == ["out\nmore\n", "err\n"])
    }

    @Test func allOfALongOutputArrives() throws {
      var count = 0
      let end = try ChildProcess.run(shell("head -c 9000000 /dev/zero"), limits: .total(60)) { count += $0.count }
      #expect(end == .exited(0) && count == 9_000_000)
    }

    @Test func standardInputIsAFileOrEmpty() throws {
      #expect(try words("cat").isEmpty)
      try withScratch { scratch in
        try Data("one two three".utf8).write(to: URL(filePath: scratch + "/input"))
        let file = open(scratch + "/input", O_RDONLY | O_CLOEXEC)
        defer { close(file) }
        // A child goes on where the file's offset is.
        #expect(lseek(file, 4, SEEK_SET) == 4)
        #expect(try words("cat", input: file) == ["two", "three"])
      }
    }

    @Test func theEnvironmentIsWhatWasGiven() throws {
      setenv("BLOCKFARM_SECRET", "of the caller", 1)
      defer { unsetenv("BLOCKFARM_SECRET") }
      let command = Command("env", [], environment: Self.given, directory: "/")
      let lines = try ChildProcess.capture(command, seconds: 20).output.split(separator: "\n").map(String.init)
      #expect(lines.sorted() == ["NAME=a value = with signs", "PATH=/usr/bin:/bin"])
    }
    private static let given = environment.merging(["NAME": "a value = with signs"]) { $1 }

    @Test func aChildStartsInItsDirectory() throws {
      try withScratch { scratch in
        #expect(try words("pwd -P", directory: scratch) == [URL(filePath: scratch).resolvingSymlinksInPath().path])
        #expect(try words("pwd -P", directory: nil) == [FileManager.default.currentDirectoryPath])
        // A relative path of a program begins there as well.
        try Data("#!/bin/sh\necho here".utf8).write(to: URL(filePath: scratch + "/program"))
        chmod(scratch + "/program", 0o755)
        let command = Command("./program", [], environment: environment, directory: scratch)
        #expect(try ChildProcess.capture(command, seconds: 20).output == "here\n")
      }
    }

    private func error(_ program: String, _ arguments: [String] = [], directory: String? = "/") -> String {
      do {
        _ = try ChildProcess.capture(Command(program, arguments, environment: environment, directory: directory), seconds: 20)
        return "none"
      } catch {
        return "\(error)"
      }
    }

    @Test func whatIsNotThereIsNamed() throws {
      #expect(error("no-such-program") == "program 'no-such-program' is not in PATH (/usr/bin:/bin)")
      #expect(error("/nowhere/program") == "run /nowhere/program: No such file or directory")
      #expect(error("sh", ["-c", "true"], directory: "/nowhere") == "run sh: enter /nowhere: No such file or directory")
      #expect(error("echo", ["a\0b"]) == "pass a zero byte to echo: Invalid argument")
      try withScratch { scratch in
        try Data("#!/nowhere/interpreter\n".utf8).write(to: URL(filePath: scratch + "/program"))
        #expect(error(scratch + "/program") == "run \(scratch)/program: Permission denied")
        chmod(scratch + "/program", 0o755)
        #expect(error(scratch + "/program") == "run the interpreter of \(scratch)/program: No such file or directory")
        // A directory of the name is no program, though it can be entered.
        try FileManager.default.createDirectory(atPath: scratch + "/sh", withIntermediateDirectories: true)
        #expect(Command.find("sh", in: scratch + ":/usr/bin") == "/usr/bin/sh")
      }
    }
  }
}
