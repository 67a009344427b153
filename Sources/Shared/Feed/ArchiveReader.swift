import CArchive
import Glibc

/// A libarchive reader of a tar: opened, used and freed within one call. Its errors carry libarchive's own words.
final class ArchiveReader {
  private let handle: OpaquePointer
  private let source: Decompressor
  /// For messages.
  let name: String
  /// Bytes of the current entry that were not read yet.
  private var remaining: Int64 = 0

  /// libarchive takes a pax path that is not ASCII for a fault in the C locale; C.UTF-8 is built into glibc since 2.35, and into Debian's since 2013.
  private static let hasLocale = setlocale(LC_CTYPE, "C.UTF-8") != nil

  private init(name: String, source: Decompressor) throws(FeedError) {
    guard Self.hasLocale else { throw .malformed(file: name, reason: "cannot be read: the C.UTF-8 locale is missing on this machine") }
    guard let handle = archive_read_new() else { throw .malformed(file: name, reason: "no memory for a reader") }
    self.handle = handle
    self.name = name
    self.source = source
    archive_read_support_filter_none(handle)
    archive_read_support_format_tar(handle)
  }

  deinit { archive_read_free(handle) }

  /// Reads a tar (plain, gzip, xz or zstd). What `source` reads from must stay valid during `body`.
  static func withTar<Value>(
    _ source: Decompressor?, name: String, body: (ArchiveReader) throws(FeedError) -> Value
  ) throws(FeedError) -> Value {
    guard let source else { throw .malformed(file: name, reason: "no memory for a reader") }
    let reader = try ArchiveReader(name: name, source: source)
    source.allowance = ArchiveLimits.headers
    let opened = archive_read_open(
      reader.handle, Unmanaged.passUnretained(source).toOpaque(), nil,
      { _, context, place in
        guard let context, let piece = Unmanaged<Decompressor>.fromOpaque(context).takeUnretainedValue().next() else { return -1 }
        place?.pointee = piece.baseAddress
        return piece.count
      }, nil)
    guard opened == ARCHIVE_OK else { throw reader.failure() }
    return try body(reader)
  }

  /// The limit that stopped the reader, if one did.
  var exceeded: String? { source.exceeded }

  func failure() -> FeedError {
    let text =
      source.exceeded ?? source.failure ?? archive_error_string(handle).map { String(cString: $0) } ?? "unreadable archive"
    return .malformed(file: name, reason: text)
  }

  /// The next member, or nil at the end. A warning of libarchive is an error here: nothing is guessed.
  func next() throws(FeedError) -> OpaquePointer? {
    var entry: OpaquePointer?
    source.allowance = source.total + remaining + ArchiveLimits.headers
    let code = archive_read_next_header(handle, &entry)
    // libarchive takes a reader's failure between two members for the end.
    guard source.exceeded == nil, source.failure == nil else { throw failure() }
    switch code {
    case ARCHIVE_OK: break
    case ARCHIVE_EOF: return nil
    case ARCHIVE_WARN where isOnlyAboutLocale: break
    default: throw failure()
    }
    remaining = max(0, archive_entry_size(entry))
    let (sum, isTooLarge) = source.allowance.addingReportingOverflow(remaining)
    source.allowance = isTooLarge ? .max : sum
    return entry
  }

  /// Programs run in the C locale, to which libarchive cannot convert the UTF-8 of pax headers; it then keeps the bytes as they are, which is what is wanted.
  private var isOnlyAboutLocale: Bool {
    guard let text = archive_error_string(handle).map({ String(cString: $0) }) else { return false }
    return text.contains("can't be converted from UTF-8")
  }

  /// Reads some of the current member's bytes; 0 at its end.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws(FeedError) -> Int {
    let count = archive_read_data(handle, buffer.baseAddress, buffer.count)
    guard count >= 0 else { throw failure() }
    remaining = max(0, remaining - Int64(count))
    return count
  }

  /// Streams the current member's bytes.
  func data(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 4096)
    defer { buffer.deallocate() }
    while true {
      let count = try read(into: buffer)
      if count == 0 { return }
      try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
  }
}

extension ArchiveReader {
  /// The bytes of a member's name.
  static func path(_ entry: OpaquePointer) -> [UInt8] {
    guard let text = archive_entry_pathname(entry) ?? archive_entry_pathname_utf8(entry) else { return [] }
    return Array(UnsafeRawBufferPointer(start: text, count: strlen(text)))
  }
}
