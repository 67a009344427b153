import Foundation
import Testing

/// A Python program of `Peers/` that serves on a port of its own and ends with the test.
struct PythonPeer {
  let port: Int

  /// A Python that has what `Peers/requirements.txt` names; deploy/check-storage makes one.
  static let interpreter = ProcessInfo.processInfo.environment["BLOCKFARM_STORAGE_PYTHON"]
  static var isAvailable: Bool { interpreter != nil }

  static func with<Value>(_ program: String, _ arguments: [String] = [], _ body: (PythonPeer) async throws -> Value) async throws -> Value {
    let process = Process()
    let (input, output) = (Pipe(), Pipe())
    process.executableURL = URL(filePath: try #require(interpreter))
    process.arguments = [URL(filePath: #filePath).deletingLastPathComponent().path + "/Peers/" + program] + arguments
    process.standardInput = input
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    defer {
      // The threads that tests run on block SIGTERM, and children inherit that.
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
    }
    let line = await withCheckedContinuation { (continuation: CheckedContinuation<String, Never>) in
      Thread.detachNewThread {
        var text = ""
        while !text.hasSuffix("\n"), case let data = output.fileHandleForReading.availableData, !data.isEmpty {
          text += String(decoding: data, as: UTF8.self)
        }
        continuation.resume(returning: text)
      }
    }
    let port = try #require(Int(line.trimmingCharacters(in: .whitespacesAndNewlines)), "\(program) did not start")
    return try await body(PythonPeer(port: port))
  }
}
