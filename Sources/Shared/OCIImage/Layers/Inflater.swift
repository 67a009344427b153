import CZlib

/// zlib's decompressor for one gzip member after the other, or for a raw DEFLATE stream.
package final class Inflater {
  /// What is around the DEFLATE stream.
  package enum Wrapper: Sendable { case gzip, none }

  package enum Step: Sendable {
    /// Bytes of the input that were used and of the output that were made. `memberEnded`: the next member, if any, needs ``begin()``.
    case progress(used: Int, made: Int, memberEnded: Bool)
    /// The stream is damaged.
    case failed(String)
  }

  /// zlib keeps a pointer back to it, so it stays where it is.
  private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
  private var initialized = false
  private let windowBits: Int32

  package init(_ wrapper: Wrapper = .gzip) {
    // 15 bits of window; 16 for the gzip wrapper alone, less than 0 for none (zlib.h, inflateInit2).
    windowBits = wrapper == .gzip ? 15 + 16 : -15
    stream.initialize(to: z_stream())
  }

  deinit {
    if initialized { inflateEnd(stream) }
    stream.deallocate()
  }

  /// Makes ready for the start of a member; false without memory.
  package func begin() -> Bool {
    if initialized { return inflateReset(stream) == Z_OK }
    initialized = zlib_inflate_init(stream, windowBits) == Z_OK
    return initialized
  }

  /// Inflates as much of `input` as `output` has room for.
  package func step(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Step {
    stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
    stream.pointee.avail_in = UInt32(input.count)
    stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
    stream.pointee.avail_out = UInt32(output.count)
    let result = inflate(stream, Z_NO_FLUSH)
    let used = input.count - Int(stream.pointee.avail_in)
    let made = output.count - Int(stream.pointee.avail_out)
    switch result {
    case Z_STREAM_END: return .progress(used: used, made: made, memberEnded: true)
    case Z_OK where used > 0 || made > 0: return .progress(used: used, made: made, memberEnded: false)
    case Z_OK, Z_BUF_ERROR: return .failed("it makes no progress")
    default: return .failed(stream.pointee.msg.map { String(cString: $0) } ?? "zlib error \(result)")
    }
  }
}
