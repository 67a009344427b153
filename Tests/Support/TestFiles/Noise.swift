/// Bytes that do not compress; the same seed gives the same bytes in every run (xorshift).
package func noise(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
  var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
  var bytes = [UInt8](repeating: 0, count: count)
  bytes.withUnsafeMutableBytes { buffer in
    for offset in stride(from: 0, to: count, by: 8) {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      withUnsafeBytes(of: state) { buffer[offset..<min(offset + 8, count)].copyBytes(from: $0.prefix(min(8, count - offset))) }
    }
  }
  return bytes
}
