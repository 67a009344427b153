import CZlib
import NIOCore

/// gzip of whole bodies, with zlib.
enum Gzip {
  /// nil when zlib has no memory.
  static func deflated(_ body: ByteBuffer) -> ByteBuffer? {
    run(body, initialize: { zlib_deflate_init_gzip($0, Z_DEFAULT_COMPRESSION) }, step: deflate, end: deflateEnd, limit: .max)
  }

  /// nil for what is no gzip data, is cut, or has more than `limit` bytes.
  static func inflated(_ body: ByteBuffer, limit: Int) -> ByteBuffer? {
    run(body, initialize: { zlib_inflate_init($0, 15 + 16) }, step: inflate, end: inflateEnd, limit: limit)
  }

  private static func run(
    _ body: ByteBuffer, initialize: (UnsafeMutablePointer<z_stream>) -> Int32, step: (UnsafeMutablePointer<z_stream>, Int32) -> Int32,
    end: (UnsafeMutablePointer<z_stream>) -> Int32, limit: Int
  ) -> ByteBuffer? {
    var stream = z_stream()
    guard initialize(&stream) == Z_OK else { return nil }
    defer { _ = end(&stream) }
    var input = Array(body.readableBytesView)
    var output = ByteBuffer()
    var piece = [UInt8](repeating: 0, count: 64 << 10)
    return input.withUnsafeMutableBufferPointer { bytes in
      stream.next_in = bytes.baseAddress
      stream.avail_in = UInt32(bytes.count)
      while true {
        let status = piece.withUnsafeMutableBufferPointer { space in
          stream.next_out = space.baseAddress
          stream.avail_out = UInt32(space.count)
          return step(&stream, Z_FINISH)
        }
        output.writeBytes(piece[..<(piece.count - Int(stream.avail_out))])
        guard output.readableBytes <= limit else { return nil }
        if status == Z_STREAM_END { return output }
        guard status == Z_OK || status == Z_BUF_ERROR, stream.avail_out == 0 else { return nil }
      }
    }
  }
}
