import BlobStore
import Glibc

/// A scratch file that holds unpacked file contents until they are written in order. It has no name on disk and goes with the object.
///
/// Unchecked, because the buffer and the counts are plain variables. Safe, because one thread writes and flushes it, and only then hands it to the threads
/// that read; reading touches nothing but the descriptor, with pread(2).
final class ContentSpool: @unchecked Sendable {
  /// Where some content lies.
  struct Extent: Hashable, Sendable {
    var offset: Int64
    var size: Int64
  }

  private let descriptor: Int32
  private let directory: String
  private var end: Int64 = 0
  /// Small pieces wait here for company.
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 4096)
  private var waiting = 0

  /// One writer at a time; reading may begin once writing has ended.
  init(directory: String) throws(BlocksError) {
    self.directory = directory
    let path = "\(directory)/spool-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
    descriptor = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .system(operation: "create", path: path, errno: errno) }
    unlink(path)
  }

  deinit {
    close(descriptor)
    buffer.deallocate()
  }

  /// The place of the next byte.
  var position: Int64 { end + Int64(waiting) }

  func append(_ bytes: UnsafeRawBufferPointer) throws(BlocksError) {
    if waiting + bytes.count > buffer.count { try flush() }
    if bytes.count >= buffer.count / 4, waiting == 0 {
      try writeAll(bytes)
    } else {
      UnsafeMutableRawBufferPointer(rebasing: buffer[waiting...]).copyMemory(from: bytes)
      waiting += bytes.count
    }
  }

  func flush() throws(BlocksError) {
    try writeAll(UnsafeRawBufferPointer(rebasing: buffer[..<waiting]))
    waiting = 0
  }

  private func writeAll(_ bytes: UnsafeRawBufferPointer) throws(BlocksError) {
    if let code = FileWriter.write(bytes, to: descriptor) { throw .system(operation: "write", path: directory, errno: code) }
    end += Int64(bytes.count)
  }

  /// Fills the buffer with what lies at `offset`.
  func read(into piece: UnsafeMutableRawBufferPointer, at offset: Int64) throws(BlocksError) {
    var done = 0
    while done < piece.count {
      let count = pread(descriptor, piece.baseAddress.map { $0 + done }, piece.count - done, off_t(offset) + off_t(done))
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw .system(operation: "read", path: directory, errno: errno) }
      done += count
    }
  }

  /// Streams an extent in pieces of at most 256 KiB.
  func read(_ extent: Extent, body: (UnsafeRawBufferPointer) throws -> Void) throws {
    let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 4096)
    defer { piece.deallocate() }
    var offset = extent.offset
    while offset < extent.offset + extent.size {
      let part = UnsafeMutableRawBufferPointer(rebasing: piece[..<Int(min(Int64(piece.count), extent.offset + extent.size - offset))])
      try read(into: part, at: offset)
      try body(UnsafeRawBufferPointer(part))
      offset += Int64(part.count)
    }
  }
}
