import Foundation
import TestPeers

@testable import Executors

/// What a whole command gave.
struct Exchange: Sendable {
  var output: [UInt8] = []
  var exit: ProcessExit
  var text: String { String(decoding: output, as: UTF8.self) }
}

extension WorkerTransport {
  /// Writes all input, then reads all output.
  func exchange(
    _ arguments: [String], input: [UInt8] = [], limits: ProcessLimits = ProcessLimits(silence: .seconds(20))
  ) async throws -> Exchange {
    try await withProcess(RemoteCommand(arguments), limits: limits) { process in
      if try await process.write(input) { try await process.closeInput() }
      var output: [UInt8] = []
      while let piece = try await process.read() { output += piece }
      return Exchange(output: output, exit: try await process.waitForExit())
    }
  }

  func shell(_ script: String, input: [UInt8] = []) async throws -> Exchange {
    try await exchange(["sh", "-c", script], input: input)
  }
}

/// Runs `body` with a limit of its own, so that a hang is a failure and not the end of the test run.
func within<Value: Sendable>(_ limit: Duration, _ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
  try await withThrowingTaskGroup(of: Value?.self) { group in
    group.addTask { try await body() }
    group.addTask {
      try await Task.sleep(for: limit)
      return nil
    }
    guard let value = try await group.next() ?? nil else { throw PeerError("an end within \(limit)") }
    group.cancelAll()
    return value
  }
}

/// The error that a call throws.
func failure<Value>(of body: () async throws -> Value) async -> (any Error)? {
  do {
    _ = try await body()
    return nil
  } catch { return error }
}
