import BlobStore
import BuildModel
import Foundation
import Synchronization
import TestFiles

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

/// An outcome that a test goes on from and that did not come.
struct Missing: Error { let what: String }

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
