/// Bytes that do not compress and do not repeat; the same seed gives the same bytes in every run (xorshift).
package func noise(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
  guard count > 0 else { return [] }
  var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
  let words = (count + 7) / 8
  return [UInt8](unsafeUninitializedCapacity: words * 8) { buffer, initialized in
    guard let start = UnsafeMutableRawPointer(buffer.baseAddress) else { return }
    // Word by word: tests want many megabytes in debug builds.
    let numbers = start.bindMemory(to: UInt64.self, capacity: words)
    for index in 0..<words {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      numbers[index] = state.littleEndian
    }
    initialized = count
  }
}
