import BuildModel
import Foundation
import Testing
import Yocto

/// The own logs of failed tasks, found in the tree and bounded.
final class TaskLogFileTests {
  private let scratch: String
  private let tree: BuildTree

  init() throws {
    scratch = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().path + "/task-log-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: scratch + "/tree/build/tmp/work/a53/hello/1.0/temp", withIntermediateDirectories: true)
    tree = try BuildTree(path: scratch + "/tree")
  }

  deinit { try? FileManager.default.removeItem(atPath: scratch) }

  private var log: String { tree.path + "/build/tmp/work/a53/hello/1.0/temp/log.do_compile.7" }

  private func task(_ logfile: String, recipe: String = "hello-1.0-r0") throws -> BitbakeConsole.FailedTask {
    var console = BitbakeConsole()
    for line in ["ERROR: \(recipe) do_compile: x", "ERROR: Logfile of failure stored in: \(logfile)"] { _ = console.read(line) }
    return try #require(console.failedTasks.first)
  }

  @Test func isFoundWhereTheBuildWroteIt() throws {
    try Data("one\ntwo\n".utf8).write(to: URL(filePath: log))
    let failed = try task(log)
    let file = try #require(TaskLogFile(of: failed, in: tree))
    #expect(file.path == log && file.name == "hello-1.0-r0.do_compile.log")
    let (bytes, left) = try file.end()
    #expect(String(decoding: bytes, as: UTF8.self) == "one\ntwo\n" && left == 0)
  }

  /// A container sees the tree elsewhere; a directory above may have the same name.
  @Test(arguments: ["/work", "/build/build/x", "/home/build/work"]) func isFoundByItsPlaceInTheTree(_ place: String) throws {
    try Data("one\n".utf8).write(to: URL(filePath: log))
    let inside = place + String(log.dropFirst(tree.path.count))
    let failed = try task(inside)
    #expect(TaskLogFile(of: failed, in: tree)?.path == log)
  }

  @Test func nothingOutsideOfTheTreeIsTaken() throws {
    try Data("secret\n".utf8).write(to: URL(filePath: scratch + "/secret"))
    try FileManager.default.createSymbolicLink(atPath: log, withDestinationPath: scratch + "/secret")
    for path in [log, scratch + "/secret", "/etc/passwd", "/x/build/../../secret", "build/tmp/work", ""] {
      let failed = try task(path)
      #expect(TaskLogFile(of: failed, in: tree)?.path == nil, "\(path)")
    }
  }

  @Test func ofALongLogTheEndIsKept() throws {
    let line = String(repeating: "x", count: 99) + "\n"
    try Data(String(repeating: line, count: 60_000).utf8).write(to: URL(filePath: log))
    let failed = try task(log)
    let file = try #require(TaskLogFile(of: failed, in: tree))
    let (bytes, left) = try file.end()
    #expect(bytes.count == TaskLogFile.limit && left == 6_000_000 - Int64(TaskLogFile.limit))
  }

  @Test func aHostileNameIsNoPath() throws {
    try Data("one\n".utf8).write(to: URL(filePath: log))
    let failed = try task(log, recipe: "hello-../../x;rm")
    let file = try #require(TaskLogFile(of: failed, in: tree))
    #expect(file.name == "hello-.._.._x_rm.do_compile.log" && RelativePath("logs/\(file.name)") != nil)
  }
}
