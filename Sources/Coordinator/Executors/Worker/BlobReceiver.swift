import BlobStore
import BoundedConcurrency
import BuildModel

/// Feeds what arrives to a `BlobFrameReader`, away from the cooperative threads, one piece at a time.
///
/// Small pieces are gathered, so that hashing and writing are not paid for in steps of an SSH packet; while a piece is written the next
/// one is already read.
final class BlobReceiver {
  /// Unchecked, because the reader is not Sendable. Safe, because one piece of work at a time uses it: the next begins after the last has ended.
  private final class Confined: @unchecked Sendable {
    let reader: BlobFrameReader
    init(_ reader: BlobFrameReader) { self.reader = reader }
  }

  private static let gatherSize = 1 << 20
  private let confined: Confined
  private var gathered: [UInt8] = []
  private var underWay: Task<Void, any Error>?

  init(store: BlobStore, expected: [BlobDescriptor]) {
    confined = Confined(BlobFrameReader(store: store, expected: expected))
  }

  func feed(_ bytes: [UInt8]) async throws {
    gathered.append(contentsOf: bytes)
    if gathered.count >= Self.gatherSize { try await pass() }
  }

  /// Hands over the rest; false when the stream's end did not come.
  func finish() async throws -> Bool {
    try await pass()
    try await underWay?.value
    return confined.reader.isFinished
  }

  private func pass() async throws {
    try await underWay?.value
    let bytes = gathered
    gathered = []
    let confined = confined
    // Runs beside the next reads and is awaited before the next piece; `finish` awaits the last.
    underWay = Task { try await BlockingWork.run { try confined.reader.feed(bytes) } }
  }
}
