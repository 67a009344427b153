/// Fixed-width little-endian numbers in the bytes of an on-disk structure; the caller has checked that they are there.
extension [UInt8] {
  func number<T: FixedWidthInteger>(_: T.Type, at offset: Int) -> T {
    var value: T = 0
    for index in 0..<(T.bitWidth / 8) { value |= T(truncatingIfNeeded: self[offset + index]) << T(index * 8) }
    return value
  }

  mutating func put<T: FixedWidthInteger>(_ value: T, at offset: Int) {
    for index in 0..<(T.bitWidth / 8) { self[offset + index] = UInt8(truncatingIfNeeded: value >> T(index * 8)) }
  }
}
