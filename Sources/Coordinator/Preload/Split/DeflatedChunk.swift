import CZlib

/// Bytes compressed by themselves: raw DEFLATE that ends on a byte boundary in an empty block, which is not the final one.
///
/// Chunks refer to nothing before them, so they can be made at the same time, and one after the other they are a stream. That costs about a hundredth
/// of the size.
struct DeflatedChunk: Sendable {
  static let capacity = 1 << 20
  /// What ends every chunk: the length of an empty stored block and its complement (RFC 1951, 3.2.4).
  static let emptyBlock: [UInt8] = [0, 0, 0xFF, 0xFF]
  /// A whole chunk of zeros; nil without memory.
  static let zeros = DeflatedChunk([UInt8](repeating: 0, count: capacity))

  let bytes: [UInt8]
  /// Before compression.
  let size: Int
  /// CRC-32 before compression.
  let crc: UInt

  /// Nil without memory.
  init?(_ content: [UInt8]) {
    var stream = z_stream()
    // zlib keeps a pointer back to the stream, so it must not move until the end of this closure.
    let made = withUnsafeMutablePointer(to: &stream) { stream -> [UInt8]? in
      guard zlib_deflate_init_raw(stream, Z_DEFAULT_COMPRESSION) == Z_OK else { return nil }
      defer { deflateEnd(stream) }
      // The bound is for a final block; the empty one takes at most six bytes more.
      let bound = Int(deflateBound(stream, UInt(content.count))) + 16
      var whole = false
      let made = content.withUnsafeBufferPointer { input in
        [UInt8](unsafeUninitializedCapacity: bound) { output, count in
          // zlib does not write to its input.
          stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
          stream.pointee.avail_in = UInt32(input.count)
          stream.pointee.next_out = output.baseAddress
          stream.pointee.avail_out = UInt32(bound)
          whole = deflate(stream, Z_SYNC_FLUSH) == Z_OK && stream.pointee.avail_in == 0 && stream.pointee.avail_out > 0
          count = bound - Int(stream.pointee.avail_out)
        }
      }
      return whole ? made : nil
    }
    guard let made else { return nil }
    bytes = made
    size = content.count
    crc = content.withUnsafeBufferPointer { CZlib.crc32(0, $0.baseAddress, UInt32($0.count)) }
  }
}
