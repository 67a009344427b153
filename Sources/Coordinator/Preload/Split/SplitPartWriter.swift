import BoundedConcurrency
import CExt2FS
import CZlib
import Glibc

/// Compresses parts of a disk image into files, several chunks at once.
struct SplitPartWriter {
  private static let zeros = [UInt8](repeating: 0, count: DeflatedChunk.capacity)

  /// How many chunks are compressed at the same time.
  let lanes: Int

  /// Writes `part` of `image` to the new file `name` in `folder`.
  func write(
    _ part: SplitImagePart, of image: borrowing DiskFile, to folder: String, as name: String
  ) throws(PreloadError) -> SplitImageManifest.Part {
    let output = try DiskFile("\(folder)/\(name)", .create)
    var written = Written()
    let chunks = OrderedPipeline(limit: lanes + 1) { (content: [UInt8]) throws(PreloadError) in try Self.made(DeflatedChunk(content)) }
    var position = part.start
    while position < part.range.upperBound {
      let count = Int(min(Int64(DeflatedChunk.capacity), part.range.upperBound - position))
      let content = try read(count, at: position, of: image)
      let due = if let content { try chunks.submit(content) } else { try chunks.pass(Self.made(DeflatedChunk.zeros)) }
      for chunk in due { try written.append(chunk, to: output) }
      position += Int64(count)
    }
    while let chunk = try chunks.next() { try written.append(chunk, to: output) }
    try output.sync()
    return SplitImageManifest.Part(
      filename: name, crc: UInt32(truncatingIfNeeded: written.crc), len: part.size, zLen: written.size,
      partitionIndex: SplitImageManifest.partitionIndex(part.partition))
  }

  private struct Written {
    var size: Int64 = 0
    /// Of what was compressed.
    var crc: UInt = 0

    mutating func append(_ chunk: DeflatedChunk, to output: borrowing DiskFile) throws(PreloadError) {
      try output.write(chunk.bytes, at: size)
      size += Int64(chunk.bytes.count)
      crc = crc32_combine(crc, chunk.crc, chunk.size)
    }
  }

  /// Nil stands for a whole chunk of zeros, which needs no work.
  private func read(_ count: Int, at position: Int64, of image: borrowing DiskFile) throws(PreloadError) -> [UInt8]? {
    let whole = count == DeflatedChunk.capacity
    if whole, try image.isHole(position..<position + Int64(count)) { return nil }
    let content = try image.read(count, at: position)
    return whole && memcmp(content, Self.zeros, count) == 0 ? nil : content
  }

  private static func made(_ chunk: DeflatedChunk?) throws(PreloadError) -> DeflatedChunk {
    guard let chunk else { throw .system(operation: "allocate", path: "a compressor", errno: ENOMEM) }
    return chunk
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
