import BuildModel
import Containers
import Foundation
import Processes
import Testing

/// A directory of a test, with an image to build from.
final class Scratch {
  let path: String
  let environment: [String: String]

  init() throws {
    path = FileManager.default.temporaryDirectory.path + "/containers-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path + "/work", withIntermediateDirectories: true)
    environment = ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin", "HOME": path]
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// What the builder may use for itself; gone after its `cleanUp`.
  var work: String { path + "/work" }

  func write(_ text: String, to name: String, executable: Bool = false) throws {
    let url = URL(filePath: "\(path)/\(name)")
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
    if executable { try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: url.path) }
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
