import BlobStore
import BuildModel
import Foundation
import Synchronization

import struct Crypto.SHA256

@testable import Balena
@testable import HTTP
@testable import Registry

/// Waits that were asked for; nobody sleeps.
final class Waits: Sendable {
  private let waits = Mutex<[Duration]>([])
  var all: [Duration] { waits.withLock { $0 } }
  func settings(now: Int64 = 1_800_000_000) -> HTTPSettings {
    var settings = HTTPSettings()
    settings.proxy = .none
    settings.time.now = { now }
    settings.time.sleep = { duration in
      try Task.checkCancellation()
      self.waits.withLock { $0.append(duration) }
    }
    return settings
  }
}

func blob(_ bytes: [UInt8]) -> BlobDescriptor {
  BlobDescriptor(digest: Digest(bytes: SHA256.hash(data: bytes))!, size: Int64(bytes.count))
}

/// Bytes that do not compress, the same in every run.
func noise(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
  var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
  var bytes = [UInt8](repeating: 0, count: count)
  bytes.withUnsafeMutableBytes { buffer in
    for offset in stride(from: 0, to: count, by: 8) {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      withUnsafeBytes(of: state) { buffer[offset..<min(offset + 8, count)].copyBytes(from: $0.prefix(min(8, count - offset))) }
    }
  }
  return bytes
}

/// A directory that is gone after the test.
func withScratch<Value>(_ body: (String) async throws -> Value) async throws -> Value {
  let path = FileManager.default.temporaryDirectory.path + "/cloud-test-\(UUID().uuidString.prefix(8))"
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: path) }
  return try await body(path)
}

/// Collects a body.
final class MemorySink: BodySink, @unchecked Sendable {
  private(set) var bytes: [UInt8] = []
  private(set) var begins: [Int64] = []
  func begin(at offset: Int64) throws {
    begins.append(offset)
    bytes.removeSubrange(Int(offset)...)
  }
  func receive(_ buffer: UnsafeRawBufferPointer) throws { bytes += buffer }
}

/// The error that a call throws; nil when it throws none or another kind.
func cloudError(_ body: () async throws -> Void) async -> (any ExchangeFailure)? {
  do { try await body() } catch { return error as? any ExchangeFailure }
  return nil
}

/// Empty where there is no error.
func text(_ error: (any ExchangeFailure)?) -> String { error.map { "\($0)" } ?? "" }
