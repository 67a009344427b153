import Foundation
import Processes
import Testing

/// One after the other: some count what this process has open, or change how it handles signals.
@Suite(.serialized) enum ProcessesTests {
  static let environment = ["PATH": "/usr/bin:/bin"]

  static func shell(_ script: String, environment more: [String: String] = [:], directory: String? = "/") -> Command {
    Command("sh", ["-c", script], environment: environment.merging(more) { $1 }, directory: directory)
  }

  /// Runs a script to its end and returns its words; anything but status 0 is an issue.
  static func words(
    _ script: String, environment: [String: String] = [:], directory: String? = "/", group: ChildGroup = .session, input: Int32? = nil
  ) throws -> [String] {
    let (end, output) = try ChildProcess.capture(
      shell(script, environment: environment, directory: directory), seconds: 60, group: group, input: input)
    #expect(end == .exited(0), "\(output)")
    return output.split(whereSeparator: \.isWhitespace).map(String.init)
  }

  /// An entry for the environment of a test's processes, and the tree that finds them by it.
  static func mark() -> (entry: [String: String], tree: ProcessTree) {
    let value = UUID().uuidString
    return (["BLOCKFARM_TEST": value], ProcessTree(mark: "BLOCKFARM_TEST=\(value)", directories: ["/nonexistent"]))
  }

  /// A directory that is removed afterwards.
  static func withScratch(_ body: (String) throws -> Void) throws {
    let path = FileManager.default.temporaryDirectory.path + "/blockfarm-processes-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    try body(path)
  }
}

extension StartedChild {
  /// Waits for the child's end, at most 20 seconds; nil when it does not come.
  mutating func wait() throws -> ChildEnd? {
    var polled = pollfd(fd: endDescriptor, events: Int16(POLLIN), revents: 0)
    poll(&polled, 1, 20_000)
    return try reap()
  }
}
