import Glibc

/// Whole blocks of a file that are not zero; `block` and `count` in units of ``blockSize``, `offset` in the spool file.
struct SpooledRun: Sendable, Equatable {
  /// No ext4 that is written has larger blocks.
  static let blockSize: Int64 = 4096

  var block: Int64
  var count: Int64
  var offset: Int64
}

/// The contents of a layer's files in a scratch file: each file begins at a whole block, blocks of zeros are left out.
struct LayerSpool: ~Copyable {
  private static let block = Int(SpooledRun.blockSize)
  private static let capacity = 1 << 20
  private static let zeros = [UInt8](repeating: 0, count: block)

  private let file: DiskFile
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 4096)
  /// Bytes in the buffer, the last block perhaps not whole.
  private var filled = 0
  /// Where the buffer goes in the file.
  private var offset: Int64 = 0
  private var fileBlock: Int64 = 0
  private var runs: [SpooledRun] = []

  init(_ path: String) throws(PreloadError) { file = try DiskFile(path, .create) }

  deinit { buffer.deallocate() }

  mutating func append(_ bytes: UnsafeRawBufferPointer) throws(PreloadError) {
    var taken = 0
    while taken < bytes.count {
      let room = Self.block - filled % Self.block
      let count = min(room, bytes.count - taken)
      UnsafeMutableRawBufferPointer(rebasing: buffer[filled..<filled + count]).copyMemory(
        from: UnsafeRawBufferPointer(rebasing: bytes[taken..<taken + count]))
      filled += count
      taken += count
      if count == room { try endBlock() }
    }
  }

  /// Ends the current file and gives its runs.
  mutating func endFile() throws(PreloadError) -> [SpooledRun] {
    let rest = filled % Self.block
    if rest != 0 {
      let count = Self.block - rest
      UnsafeMutableRawBufferPointer(rebasing: buffer[filled..<filled + count]).initializeMemory(as: UInt8.self, repeating: 0)
      filled += count
      try endBlock()
    }
    defer {
      runs = []
      fileBlock = 0
    }
    return runs
  }

  /// Writes out what is left.
  mutating func finish() throws(PreloadError) { try flush() }

  private mutating func endBlock() throws(PreloadError) {
    let start = filled - Self.block
    if let base = buffer.baseAddress, memcmp(base + start, Self.zeros, Self.block) == 0 {
      filled = start
    } else if let last = runs.last, last.block + last.count == fileBlock {
      runs[runs.count - 1].count += 1
    } else {
      runs.append(SpooledRun(block: fileBlock, count: 1, offset: offset + Int64(start)))
    }
    fileBlock += 1
    if filled == Self.capacity { try flush() }
  }

  private mutating func flush() throws(PreloadError) {
    try file.write(UnsafeRawBufferPointer(rebasing: buffer[..<filled]), at: offset)
    offset += Int64(filled)
    filled = 0
  }
}
