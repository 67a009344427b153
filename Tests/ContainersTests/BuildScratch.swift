import BuildModel
import Containers
import Foundation
import Processes
import TestFiles
import Testing

/// A directory of a test, with an image to build from.
struct BuildScratch {
  private let directory: ScratchDirectory
  let environment: [String: String]
  /// What the builder may use for itself; gone after its `cleanUp`.
  let work: String
  var path: String { directory.path }

  init() throws {
    directory = try ScratchDirectory()
    work = try directory.makeDirectory("work")
    environment = ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin", "HOME": directory.path]
  }

  func write(_ text: String, to name: String, executable: Bool = false) throws {
    try directory.write(text, to: name, mode: executable ? 0o755 : 0o644)
  }

  /// A context whose Dockerfile builds on a tree with busybox.
  func context(_ dockerfile: String) throws -> String {
    try write(dockerfile, to: "context/Dockerfile")
    try FileManager.default.copyItem(atPath: "/bin/busybox", toPath: path + "/context/busybox")
    return path + "/context"
  }

  /// Runs a call of the builder to its end.
  @discardableResult
  func run(_ command: Command) throws -> (end: ChildEnd, output: String) {
    let result = try ChildProcess.capture(command, seconds: 120, limit: 8 << 20)
    return result
  }

  func output(_ program: String, _ arguments: [String]) throws -> String {
    let (end, output) = try ChildProcess.capture(Command(program, arguments, environment: environment, directory: path), seconds: 60, limit: 8 << 20)
    try #require(end == .exited(0), "\(program) \(arguments): \(output)")
    return output
  }
}
