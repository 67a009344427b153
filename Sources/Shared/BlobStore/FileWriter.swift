import Glibc

/// Writes to open files in whole. Synchronous.
package enum FileWriter {
  /// Writes all bytes at the descriptor's place, also where a signal interrupts. The result is the errno of what went wrong; nil where nothing did.
  package static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Int32? {
    var rest = bytes
    while !rest.isEmpty {
      let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return count < 0 ? errno : EIO }
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
    return nil
  }
}
