import Foundation

/// Runs other programs; what they print goes through files, so that nothing can block.
enum Tool {
  struct Failure: Error, CustomStringConvertible {
    var command: [String]
    var status: Int32
    var diagnostics: String
    var description: String { "\(command.joined(separator: " ")) ended with \(status): \(diagnostics.suffix(2000))" }
  }

  /// The standard output. A status other than 0, or more than `limit` seconds, throws.
  @discardableResult
  static func run(_ command: String..., input: String? = nil, limit: Int = 120) throws -> String {
    try run(command, input: input, limit: limit)
  }

  @discardableResult
  static func run(_ command: [String], input: String? = nil, limit: Int = 120) throws -> String {
    let scratch = FileManager.default.temporaryDirectory.path + "/tool-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: scratch) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/timeout")
    process.arguments = ["\(limit)"] + command
    process.standardInput = input == nil ? FileHandle.nullDevice : try handle(scratch + "/in", Data((input ?? "").utf8), reading: true)
    process.standardOutput = try handle(scratch + "/out", Data(), reading: false)
    process.standardError = try handle(scratch + "/err", Data(), reading: false)
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Failure(command: command, status: process.terminationStatus, diagnostics: try String(contentsOfFile: scratch + "/err", encoding: .utf8))
    }
    return try String(contentsOfFile: scratch + "/out", encoding: .utf8)
  }

  private static func handle(_ path: String, _ data: Data, reading: Bool) throws -> FileHandle {
    try data.write(to: URL(fileURLWithPath: path))
    let url = URL(fileURLWithPath: path)
    return reading ? try FileHandle(forReadingFrom: url) : try FileHandle(forWritingTo: url)
  }
}
