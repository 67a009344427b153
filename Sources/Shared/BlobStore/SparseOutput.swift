import Glibc

/// Appends to a file and leaves holes where the content is zero, which disk images mostly are.
struct SparseOutput {
  let descriptor: Int32
  /// For messages.
  let path: String
  private(set) var size: Int64 = 0

  private static let unit = 65536
  private static let zeros = [UInt8](repeating: 0, count: unit)

  init(descriptor: Int32, path: String) {
    self.descriptor = descriptor
    self.path = path
  }

  mutating func append(_ bytes: UnsafeRawBufferPointer) throws(BlobStoreError) {
    var offset = 0
    while offset < bytes.count {
      let length = min(Self.unit, bytes.count - offset)
      let piece = UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + length])
      if length == Self.unit, let start = piece.baseAddress, memcmp(start, Self.zeros, length) == 0 {
        guard lseek(descriptor, off_t(length), SEEK_CUR) >= 0 else { throw failed("seek") }
      } else {
        if let code = FileWriter.write(piece, to: descriptor) { throw .system(operation: "write", path: path, errno: code) }
      }
      offset += length
    }
    size += Int64(bytes.count)
  }

  /// Gives the file its length, which a hole at the end would not.
  func finish() throws(BlobStoreError) {
    guard ftruncate(descriptor, off_t(size)) == 0 else { throw failed("truncate") }
  }

  private func failed(_ operation: String) -> BlobStoreError { .system(operation: operation, path: path, errno: errno) }
}
