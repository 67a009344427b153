import CArchive
import Glibc

/// A libarchive reader: opened, used and freed within one call. Its errors carry libarchive's own words.
package final class ArchiveReader {
  private let handle: OpaquePointer
  /// For messages.
  let name: String

  /// libarchive takes a pax path that is not ASCII for a fault in the C locale; C.UTF-8 is built into glibc since 2.35, and into Debian's since 2013.
  private static let hasLocale = setlocale(LC_CTYPE, "C.UTF-8") != nil

  private init(name: String, raw: Bool) throws(FeedError) {
    guard Self.hasLocale else { throw .malformed(file: name, reason: "cannot be read: the C.UTF-8 locale is missing on this machine") }
    guard let handle = archive_read_new() else { throw .malformed(file: name, reason: "no memory for a reader") }
    self.handle = handle
    self.name = name
    for filter in [
      archive_read_support_filter_gzip, archive_read_support_filter_xz, archive_read_support_filter_zstd, archive_read_support_filter_none,
    ] { _ = filter(handle) }
    if raw { archive_read_support_format_raw(handle) } else { archive_read_support_format_tar(handle) }
    if raw { archive_read_support_format_empty(handle) }
  }

  deinit { archive_read_free(handle) }

  /// Reads a tar (plain, gzip, xz or zstd) that lies in memory. The bytes must stay valid during `body`.
  package static func withTar<Value>(
    _ bytes: UnsafeRawBufferPointer, name: String, body: (ArchiveReader) throws(FeedError) -> Value
  ) throws(FeedError) -> Value {
    let reader = try ArchiveReader(name: name, raw: false)
    guard archive_read_open_memory(reader.handle, bytes.baseAddress, bytes.count) == ARCHIVE_OK else { throw reader.failure() }
    return try body(reader)
  }

  /// Streams the decompressed content of a file (any number of gzip members, or plain bytes).
  package static func decompress(_ path: String, body: (UnsafeRawBufferPointer) throws -> Void) throws {
    let reader = try ArchiveReader(name: path, raw: true)
    guard archive_read_open_filename(reader.handle, path, 1 << 18) == ARCHIVE_OK else { throw reader.failure() }
    guard try reader.next() != nil else { return }
    try reader.data(body)
  }

  func failure() -> FeedError {
    let text = archive_error_string(handle).map { String(cString: $0) } ?? "unreadable archive"
    return .malformed(file: name, reason: text)
  }

  /// The next member, or nil at the end. A warning of libarchive is an error here: nothing is guessed.
  func next() throws(FeedError) -> OpaquePointer? {
    var entry: OpaquePointer?
    switch archive_read_next_header(handle, &entry) {
    case ARCHIVE_OK: return entry
    case ARCHIVE_EOF: return nil
    case ARCHIVE_WARN where isOnlyAboutLocale: return entry
    default: throw failure()
    }
  }

  /// Programs run in the C locale, to which libarchive cannot convert the UTF-8 of pax headers; it then keeps the bytes as they are, which is what is wanted.
  private var isOnlyAboutLocale: Bool {
    guard let text = archive_error_string(handle).map({ String(cString: $0) }) else { return false }
    return text.contains("can't be converted from UTF-8")
  }

  /// Streams the current member's bytes, holes as zeros.
  func data(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 4096)
    defer { buffer.deallocate() }
    while true {
      let count = archive_read_data(handle, buffer.baseAddress, buffer.count)
      if count < 0 { throw failure() }
      if count == 0 { return }
      try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
  }
}
