import CZlib

/// Inflates gzip that others wrote, a stream of any number of members (RFC 1952), in bounded memory.
final class GzipInflater {
  private var stream = z_stream()
  private let buffer: UnsafeMutableRawBufferPointer
  private let what: String
  private var isBetweenMembers = true

  init(what: String) throws(OCIImageError) {
    self.what = what
    // 15 bits of window, 16 for the gzip wrapper alone (zlib.h, inflateInit2).
    guard zlib_inflate_init(&stream, 15 + 16) == Z_OK else {
      throw .compression("no memory for a decompressor")
    }
    buffer = .allocate(byteCount: 1 << 18, alignment: 64)
  }

  deinit {
    inflateEnd(&stream)
    buffer.deallocate()
  }

  /// Hands the content of these bytes to `body` in pieces, valid during the call.
  func feed(_ bytes: UnsafeRawBufferPointer, body: (UnsafeRawBufferPointer) throws -> Void) throws {
    // zlib does not write to its input.
    stream.next_in = UnsafeMutablePointer(mutating: bytes.assumingMemoryBound(to: UInt8.self).baseAddress)
    stream.avail_in = UInt32(bytes.count)
    repeat {
      if isBetweenMembers {
        guard stream.avail_in > 0 else { return }
        inflateReset(&stream)
        isBetweenMembers = false
      }
      stream.next_out = buffer.assumingMemoryBound(to: UInt8.self).baseAddress
      stream.avail_out = UInt32(buffer.count)
      let result = inflate(&stream, Z_NO_FLUSH)
      guard result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR else {
        throw OCIImageError.malformed(what: what, reason: "is no gzip stream: " + (stream.msg.map { String(cString: $0) } ?? "error \(result)"))
      }
      let count = buffer.count - Int(stream.avail_out)
      if count > 0 { try body(UnsafeRawBufferPointer(rebasing: buffer[..<count])) }
      if result == Z_STREAM_END { isBetweenMembers = true }
    } while stream.avail_in > 0 || stream.avail_out == 0
  }

  /// To be called after the last piece; throws when the stream was cut off.
  func finish() throws(OCIImageError) {
    guard isBetweenMembers else { throw .malformed(what: what, reason: "gzip stream ends in the middle") }
  }
}
