import Glibc

/// A scratch file that holds unpacked file contents until they are written in order. It has no name on disk and goes with the object.
final class ContentSpool: @unchecked Sendable {
  /// Where some content lies.
  struct Extent: Hashable, Sendable {
    var offset: Int64
    var size: Int64
  }

  private let descriptor: Int32
  private let directory: String
  private var end: Int64 = 0
  private var buffer: [UInt8] = []
  private static let bufferSize = 1 << 20

  /// One writer at a time; reading may begin once writing has ended.
  init(directory: String) throws(BlocksError) {
    self.directory = directory
    let path = "\(directory)/spool-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
    descriptor = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .system(operation: "create", path: path, errno: errno) }
    unlink(path)
    buffer.reserveCapacity(Self.bufferSize)
  }

  deinit { close(descriptor) }

  /// The place of the next byte.
  var position: Int64 { end + Int64(buffer.count) }

  func append(_ bytes: UnsafeRawBufferPointer) throws(BlocksError) {
    if buffer.count + bytes.count > Self.bufferSize { try flush() }
    if bytes.count >= Self.bufferSize {
      try writeAll(bytes)
      end += Int64(bytes.count)
    } else {
      buffer.append(contentsOf: bytes)
    }
  }

  func flush() throws(BlocksError) {
    var failure: BlocksError?
    buffer.withUnsafeBytes { bytes in
      do throws(BlocksError) { try writeAll(bytes) } catch { failure = error }
    }
    if let failure { throw failure }
    end += Int64(buffer.count)
    buffer.removeAll(keepingCapacity: true)
  }

  private func writeAll(_ bytes: UnsafeRawBufferPointer) throws(BlocksError) {
    var rest = bytes
    while !rest.isEmpty {
      let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw .system(operation: "write", path: directory, errno: errno) }
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
  }

  /// Streams an extent in pieces of at most 1 MiB.
  func read(_ extent: Extent, body: (UnsafeRawBufferPointer) throws -> Void) throws {
    let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: Int(min(extent.size, Int64(Self.bufferSize))), alignment: 16)
    defer { piece.deallocate() }
    var offset = extent.offset
    while offset < extent.offset + extent.size {
      let wanted = Int(min(Int64(piece.count), extent.offset + extent.size - offset))
      let count = pread(descriptor, piece.baseAddress, wanted, off_t(offset))
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw BlocksError.system(operation: "read", path: directory, errno: errno) }
      try body(UnsafeRawBufferPointer(rebasing: piece[..<count]))
      offset += Int64(count)
    }
  }
}
