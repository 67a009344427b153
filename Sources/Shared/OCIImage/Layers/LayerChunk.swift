import BuildModel
import Dispatch

import struct Crypto.SHA256

/// A piece of a layer's tar on its way to the hash and to the output: filled once, then only read.
///
/// Unchecked, because it is a buffer and a count. Safe, because the thread that fills it hands it on when it is full (through a dispatch queue, which orders
/// memory) and keeps no reference; from then on everybody only reads.
final class LayerChunk: @unchecked Sendable {
  static let size = 1 << 20

  /// No stricter alignment: glibc before 2.38 does not use again what was freed after an aligned allocation.
  private let storage = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
  private(set) var count = 0

  deinit { storage.deallocate() }

  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: storage[..<count]) }
  /// Where the next bytes go; say by ``advance(by:)`` how many came.
  var room: UnsafeMutableRawBufferPointer { UnsafeMutableRawBufferPointer(rebasing: storage[count...]) }
  func advance(by bytes: Int) { count += bytes }

  /// Takes as many of the bytes as there is room for, and returns how many.
  func append(_ bytes: UnsafeRawBufferPointer) -> Int {
    let taken = min(bytes.count, storage.count - count)
    room.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<taken]))
    count += taken
    return taken
  }
}

/// Hashes chunks in order on a thread of its own while their bytes are written; a few may wait.
///
/// Unchecked, because the hash is a plain variable. Safe, because only blocks on the serial queue touch it.
final class ChunkHash: @unchecked Sendable {
  private let queue = DispatchQueue(label: "blockfarm.layer.hash")
  private let places = DispatchSemaphore(value: 8)
  /// Only touched on the queue.
  private var hash = SHA256()

  func update(_ chunk: LayerChunk) {
    places.wait()
    queue.async {
      self.hash.update(bufferPointer: chunk.bytes)
      self.places.signal()
    }
  }

  /// The digest of everything so far.
  func finish() -> Digest? { queue.sync { Digest(bytes: hash.finalize()) } }
}
