import CExt2FS
import CZlib
import Dispatch
import Glibc
import Synchronization

/// Compresses parts of a disk image into files, several chunks at once.
struct SplitPartWriter {
  private static let zeros = [UInt8](repeating: 0, count: DeflatedChunk.capacity)
  /// So many chunks of zeros may wait beside those that have to be compressed; they are small.
  private static let longestBatch = 1024

  /// How many chunks are compressed at the same time.
  let lanes: Int

  /// Writes `part` of `image` to the new file `name` in `folder`.
  func write(
    _ part: SplitImagePart, of image: borrowing DiskFile, to folder: String, as name: String
  ) throws(PreloadError) -> SplitImageManifest.Part {
    let output = try DiskFile("\(folder)/\(name)", .create)
    var written: Int64 = 0
    var crc: UInt = 0
    var position = part.start
    while position < part.range.upperBound {
      let batch = try readBatch(of: image, position..<part.range.upperBound)
      var bytes: [UInt8] = []
      for chunk in try compress(batch) {
        bytes += chunk.bytes
        crc = crc32_combine(crc, chunk.crc, chunk.size)
        position += Int64(chunk.size)
      }
      try output.write(bytes, at: written)
      written += Int64(bytes.count)
    }
    try output.sync()
    return SplitImageManifest.Part(
      filename: name, crc: UInt32(truncatingIfNeeded: crc), len: part.size, zLen: written,
      partitionIndex: SplitImageManifest.partitionIndex(part.partition))
  }

  /// The next chunks; nothing stands for a whole one of zeros.
  private func readBatch(of image: borrowing DiskFile, _ range: Range<Int64>) throws(PreloadError) -> [[UInt8]?] {
    var batch: [[UInt8]?] = []
    var full = 0
    var position = range.lowerBound
    while position < range.upperBound, full < 2 * lanes, batch.count < Self.longestBatch {
      let count = Int(min(Int64(DeflatedChunk.capacity), range.upperBound - position))
      let content = try read(count, at: position, of: image)
      if content != nil { full += 1 }
      batch.append(content)
      position += Int64(count)
    }
    return batch
  }

  private func read(_ count: Int, at position: Int64, of image: borrowing DiskFile) throws(PreloadError) -> [UInt8]? {
    let whole = count == DeflatedChunk.capacity
    if whole, try image.isHole(position..<position + Int64(count)) { return nil }
    let content = try image.read(count, at: position)
    return whole && memcmp(content, Self.zeros, count) == 0 ? nil : content
  }

  /// In the order of `batch`.
  private func compress(_ batch: [[UInt8]?]) throws(PreloadError) -> [DeflatedChunk] {
    let full = batch.indices.filter { batch[$0] != nil }
    let next = Atomic(0)
    let made = Mutex([DeflatedChunk?](repeating: DeflatedChunk.zeros, count: batch.count))
    DispatchQueue.concurrentPerform(iterations: min(lanes, full.count)) { _ in
      while true {
        let turn = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard turn < full.count, let content = batch[full[turn]] else { return }
        let chunk = DeflatedChunk(content)
        made.withLock { $0[full[turn]] = chunk }
      }
    }
    let chunks = made.withLock { $0 }.compactMap { $0 }
    guard chunks.count == batch.count else { throw .system(operation: "allocate", path: "a compressor", errno: ENOMEM) }
    return chunks
  }
}

extension DiskFile {
  /// Whether nothing of `range` was ever written, so that it reads as zeros; the file must be longer than `range`.
  fileprivate func isHole(_ range: Range<Int64>) throws(PreloadError) -> Bool {
    let data = lseek(descriptor, off_t(range.lowerBound), Int32(sparse_seek_data))
    if data < 0 && errno == ENXIO { return true }
    guard data >= 0 else { throw failed("seek") }
    return Int64(data) >= range.upperBound
  }
}
