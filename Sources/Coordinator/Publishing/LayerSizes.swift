import CZlib
import Glibc

/// Sizes of layers without compression, as `image_size` counts them.
enum LayerSizes {
  /// The bytes that gzip files hold, together. Reads them through: the size in a gzip trailer is one member's, modulo 4 GiB.
  static func uncompressed(_ paths: [String]) throws -> Int64 {
    try paths.reduce(0) { try $0 + size($1) }
  }

  private static let chunk = 1 << 18

  private static func size(_ path: String) throws -> Int64 {
    func malformed(_ reason: String) -> PublishingError { .invalid(what: "layer \(path)", reason: reason) }
    // gzread goes on over members that follow each other.
    guard let file = gzopen(path, "rb") else { throw malformed(String(cString: strerror(errno))) }
    defer { gzclose(file) }
    gzbuffer(file, UInt32(chunk))
    var buffer = [UInt8](repeating: 0, count: chunk)
    var total: Int64 = 0
    while true {
      let count = gzread(file, &buffer, UInt32(chunk))
      guard count >= 0 else { throw malformed("it is no whole gzip file") }
      if count == 0 { break }
      total += Int64(count)
    }
    // Says whether the end was a proper one.
    var code: Int32 = 0
    gzerror(file, &code)
    guard code == Z_OK || code == Z_STREAM_END else { throw malformed("it ends early") }
    return total
  }
}
