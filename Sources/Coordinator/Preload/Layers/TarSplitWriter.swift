import CZlib
import FoundationEssentials
import Glibc

/// Writes the `tar-split.json.gz` of a layer: everything of its tar but the files' contents, so that the daemon can put the tar together again.
///
/// JSON lines, numbered: type 2 holds raw bytes (headers, padding), type 1 stands for a member and the content that follows.
final class TarSplitWriter {
  private static let longestLine = 48 << 10

  private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
  private var raw: [UInt8] = []
  private var lines: [UInt8] = []
  private var position = 0
  private(set) var compressed: [UInt8] = []

  init() throws(PreloadError) {
    stream.initialize(to: z_stream())
    guard zlib_deflate_init_gzip(stream, 6) == Z_OK else { throw .system(operation: "allocate", path: "a compressor", errno: ENOMEM) }
  }

  deinit {
    deflateEnd(stream)
    stream.deallocate()
    buffer.deallocate()
  }

  /// Bytes of the tar that are not content.
  func add(raw bytes: UnsafeRawBufferPointer) {
    raw += bytes
    if raw.count >= Self.longestLine { endRaw() }
  }

  /// A member whose header was added before; `checksum` is of its content, if it has any.
  func add(member name: [UInt8], size: Int64, checksum: CRC64) {
    endRaw()
    var line = Array(#"{"type":1,"#.utf8)
    if let text = String(validating: name, as: UTF8.self) {
      line += Array(#""name":"#.utf8) + Self.quoted(text)
    } else {
      line += Array(#""name_raw":""#.utf8) + Array(Data(name).base64EncodedString().utf8) + [34]
    }
    if size > 0 {
      line += Array(#","size":\#(size),"payload":"\#(Data(checksum.bigEndianBytes).base64EncodedString())""#.utf8)
    } else {
      line += Array(#","payload":null"#.utf8)
    }
    end(line)
  }

  /// Ends the file; ``compressed`` is whole afterwards.
  func finish() {
    endRaw()
    deflateLines(Z_FINISH)
  }

  private func endRaw() {
    guard !raw.isEmpty else { return }
    end(Array(#"{"type":2,"payload":""#.utf8) + Array(Data(raw).base64EncodedString().utf8) + [34])
    raw.removeAll(keepingCapacity: true)
  }

  private func end(_ line: [UInt8]) {
    lines += line
    lines += Array(",\"position\":\(position)}\n".utf8)
    position += 1
    if lines.count >= 1 << 18 { deflateLines(Z_NO_FLUSH) }
  }

  private func deflateLines(_ flush: Int32) {
    lines.withUnsafeMutableBufferPointer { input in
      stream.pointee.next_in = input.baseAddress
      stream.pointee.avail_in = UInt32(input.count)
      repeat {
        stream.pointee.next_out = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = UInt32(buffer.count)
        deflate(stream, flush)
        compressed += buffer[..<(buffer.count - Int(stream.pointee.avail_out))]
      } while stream.pointee.avail_out == 0
    }
    lines.removeAll(keepingCapacity: true)
  }

  private static func quoted(_ text: String) -> [UInt8] {
    var out: [UInt8] = [34]
    for byte in text.utf8 {
      switch byte {
      case 34, 92: out += [92, byte]
      case 0..<32: out += Array("\\u00".utf8) + [byte >> 4, byte & 15].map { $0 < 10 ? 48 + $0 : 87 + $0 }
      default: out.append(byte)
      }
    }
    out.append(34)
    return out
  }
}
