import Foundation
import TestPeers

import struct Crypto.SHA256

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

/// Bytes that repeat nowhere near a packet's size.
func pattern(_ count: Int) -> [UInt8] {
  var bytes: [UInt8] = []
  bytes.reserveCapacity(count + 32)
  var number = 0
  while bytes.count < count {
    number += 1
    bytes.append(contentsOf: SHA256.hash(data: withUnsafeBytes(of: number) { Data($0) }))
    // Blocks of blocks: a hash for each 32 bytes would take longer than the streams under test.
    if bytes.count >= 1 << 16 { bytes.append(contentsOf: bytes.prefix(min(bytes.count - 7, count - bytes.count))) }
  }
  return Array(bytes.prefix(count))
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
