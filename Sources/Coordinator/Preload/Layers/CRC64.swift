/// The CRC-64 that tar-split files hold: ISO 3309, reflected, begun and ended with all ones.
struct CRC64 {
  /// Eight tables, so that eight bytes are folded at once.
  private static let tables: [UInt64] = {
    var tables = [UInt64](repeating: 0, count: 8 * 256)
    for byte in 0..<256 {
      var value = UInt64(byte)
      for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0xD800_0000_0000_0000 : value >> 1 }
      tables[byte] = value
    }
    for byte in 0..<256 {
      for step in 1..<8 {
        let previous = tables[(step - 1) * 256 + byte]
        tables[step * 256 + byte] = tables[Int(previous & 0xFF)] ^ previous >> 8
      }
    }
    return tables
  }()

  private var state = ~UInt64(0)

  mutating func update(_ bytes: UnsafeRawBufferPointer) {
    guard let base = bytes.baseAddress else { return }
    var state = state
    Self.tables.withUnsafeBufferPointer { t in
      var offset = 0
      while offset + 8 <= bytes.count {
        state ^= UInt64(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        let low = t[0x700 + Int(state & 0xFF)] ^ t[0x600 + Int(state >> 8 & 0xFF)] ^ t[0x500 + Int(state >> 16 & 0xFF)]
        let middle = t[0x400 + Int(state >> 24 & 0xFF)] ^ t[0x300 + Int(state >> 32 & 0xFF)] ^ t[0x200 + Int(state >> 40 & 0xFF)]
        state = low ^ middle ^ t[0x100 + Int(state >> 48 & 0xFF)] ^ t[Int(state >> 56)]
        offset += 8
      }
      while offset < bytes.count {
        state = t[Int((state ^ UInt64(bytes[offset])) & 0xFF)] ^ state >> 8
        offset += 1
      }
    }
    self.state = state
  }

  /// The eight bytes as tar-split writes them.
  var bigEndianBytes: [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: ~state >> UInt64(56 - 8 * $0)) } }
}
