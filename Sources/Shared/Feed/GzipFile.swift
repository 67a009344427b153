import CArchive
import Glibc

import struct Crypto.SHA256

/// Compressed indexes, read and written in pieces.
package enum GzipFile {
  /// Streams the decompressed content of a regular file, at most `limit` bytes of it.
  package static func inflate(_ path: String, limit: Int, body: (UnsafeRawBufferPointer) throws -> Void) throws {
    let descriptor = try FeedFile.openRegular(path)
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw FeedError.system(operation: "stat", path: path, errno: errno) }
    // An index of many like stanzas compresses well; the limit of bytes is what bounds it.
    let limits = ArchiveLimits(compressed: Int64(status.st_size), bytes: Int64(limit), ratio: .max)
    guard let source = Decompressor.file(descriptor, limits: limits) else { throw FeedError.malformed(file: path, reason: "no memory for a reader") }
    while let piece = source.next() {
      if piece.isEmpty { return }
      try body(piece)
    }
    throw FeedError.malformed(file: path, reason: source.exceeded ?? source.failure ?? "unreadable")
  }

  /// sha256 of the decompressed content.
  static func digest(_ path: String, limit: Int) throws -> SHA256.Digest {
    var hash = SHA256()
    try inflate(path, limit: limit) { hash.update(bufferPointer: $0) }
    return hash.finalize()
  }

  /// Compresses in memory: level 9, without name and time, so that the same bytes give the same bytes.
  static func deflate(_ pieces: [[UInt8]]) throws(FeedError) -> [UInt8] {
    func failed(_ reason: String) -> FeedError { .malformed(file: "Packages.gz", reason: "cannot be compressed: \(reason)") }
    guard let handle = archive_write_new(), let entry = archive_entry_new() else { throw failed("no memory") }
    defer {
      archive_entry_free(entry)
      archive_write_free(handle)
    }
    final class Output { var bytes: [UInt8] = [] }
    let output = Output()
    archive_write_set_format_raw(handle)
    archive_write_add_filter_gzip(handle)
    archive_write_set_filter_option(handle, "gzip", "compression-level", "9")
    archive_write_set_filter_option(handle, "gzip", "timestamp", nil)
    archive_write_set_bytes_in_last_block(handle, 1)
    archive_entry_set_filetype(entry, UInt32(Glibc.S_IFREG))
    let opened = archive_write_open(
      handle, Unmanaged.passUnretained(output).toOpaque(), nil,
      { _, context, bytes, count in
        guard let context, let bytes else { return -1 }
        Unmanaged<Output>.fromOpaque(context).takeUnretainedValue().bytes.append(contentsOf: UnsafeRawBufferPointer(start: bytes, count: count))
        return count
      }, nil)
    var isWritten = opened == ARCHIVE_OK && archive_write_header(handle, entry) == ARCHIVE_OK
    for piece in pieces where isWritten && !piece.isEmpty {
      isWritten = piece.withUnsafeBytes { archive_write_data(handle, $0.baseAddress, $0.count) } == piece.count
    }
    guard isWritten, archive_write_close(handle) == ARCHIVE_OK else {
      throw failed(archive_error_string(handle).map { String(cString: $0) } ?? "unknown")
    }
    return withExtendedLifetime(output) { output.bytes }
  }
}
