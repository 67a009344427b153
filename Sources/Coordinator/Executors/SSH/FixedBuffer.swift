/// Memory at a fixed address: libssh2 wants a half-sent packet finished from where it was begun.
///
/// Unchecked, because it is a pointer and a count. Safe, because one call at a time uses it, on the loop's thread, and the memory is freed with the last
/// reference.
final class FixedBuffer: @unchecked Sendable {
  let bytes: UnsafeMutableRawBufferPointer

  init(size: Int) { bytes = .allocate(byteCount: max(1, size), alignment: 16) }

  convenience init(_ content: [UInt8]) {
    self.init(size: content.count)
    bytes.copyBytes(from: content)
  }

  deinit { bytes.deallocate() }

  func characters(from offset: Int = 0) -> UnsafeMutablePointer<CChar>? {
    bytes.baseAddress?.advanced(by: offset).assumingMemoryBound(to: CChar.self)
  }
}
