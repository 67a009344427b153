import Foundation
import TestPeers
import Testing

/// A Python program of `Peers/` that serves on a port of its own and ends with the test.
struct PythonPeer {
  let port: Int

  /// A Python that has what `Peers/requirements.txt` names; deploy/check-storage makes one.
  static let interpreter = ProcessInfo.processInfo.environment["BLOCKFARM_STORAGE_PYTHON"]
  static var isAvailable: Bool { interpreter != nil }

  static func with<Value>(_ program: String, _ arguments: [String] = [], _ body: (PythonPeer) async throws -> Value) async throws -> Value {
    let file = URL(filePath: #filePath).deletingLastPathComponent().path + "/Peers/" + program
    return try await withChild([try #require(interpreter), file] + arguments, input: .open) { child in
      let line = try await blocking { try child.waitFor("a port", on: .output) { $0.hasSuffix("\n") ? $0 : nil } }
      let port = try #require(Int(line.trimmingCharacters(in: .whitespacesAndNewlines)), "\(program) did not start")
      return try await body(PythonPeer(port: port))
    }
  }
}
