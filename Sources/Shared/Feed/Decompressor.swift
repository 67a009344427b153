import CArchive
import Glibc

/// Hands out the decompressed bytes of a gzip, xz or zstd stream (or plain bytes) with libarchive, and counts every one of them.
///
/// Whoever reads behind it may loop over headers, sparse maps or padding as it likes: no byte gets past the limits, which makes a bomb's time and
/// memory a matter of the limits and not of the bomb.
final class Decompressor {
  private let handle: OpaquePointer
  private let limits: ArchiveLimits
  /// What libarchive gave last and was not handed out yet.
  private var rest = UnsafeRawBufferPointer(start: nil, count: 0)
  /// Bytes handed out.
  private(set) var total: Int64 = 0
  /// Where reading has to stop until the reader behind asks for more; set by ``ArchiveReader``.
  var allowance = Int64.max
  /// The limit that was hit.
  private(set) var exceeded: String?
  private(set) var failure: String?

  /// libarchive's inputs end here; larger pieces would make `total` run ahead of what the reader behind has used.
  private static let piece = 1 << 16

  /// The bytes must stay valid as long as the object.
  static func memory(_ bytes: UnsafeRawBufferPointer, limits: ArchiveLimits) -> Decompressor? {
    Decompressor(limits: limits) { archive_read_open_memory($0, bytes.baseAddress, bytes.count) }
  }

  /// Reads from an open file from where it stands; the descriptor stays the caller's.
  static func file(_ descriptor: Int32, limits: ArchiveLimits) -> Decompressor? {
    Decompressor(limits: limits) { archive_read_open_fd($0, descriptor, 1 << 18) }
  }

  /// Reads what `read` puts into the buffer that it is given, for example the current member of another archive. It returns how much that is, 0 at
  /// the end.
  static func pieces(
    limits: ArchiveLimits, read: @escaping (UnsafeMutableRawBufferPointer) throws(FeedError) -> Int
  ) -> Decompressor? {
    let source = PieceSource(read)
    return Decompressor(limits: limits, source: source) {
      archive_read_open(
        $0, Unmanaged.passUnretained(source).toOpaque(), nil,
        { _, context, place in
          guard let context, let piece = Unmanaged<PieceSource>.fromOpaque(context).takeUnretainedValue().next() else { return -1 }
          place?.pointee = piece.baseAddress
          return piece.count
        }, nil)
    }
  }

  /// Of ``pieces(limits:read:)``: what is read from.
  private let source: PieceSource?

  private init?(limits: ArchiveLimits, source: PieceSource? = nil, open: (OpaquePointer) -> Int32) {
    guard let handle = archive_read_new() else { return nil }
    self.handle = handle
    self.limits = limits
    self.source = source
    for filter in [archive_read_support_filter_gzip, archive_read_support_filter_xz, archive_read_support_filter_zstd] { _ = filter(handle) }
    archive_read_support_format_raw(handle)
    archive_read_support_format_empty(handle)
    var entry: OpaquePointer?
    guard open(handle) == ARCHIVE_OK else {
      fail()
      return
    }
    switch archive_read_next_header(handle, &entry) {
    case ARCHIVE_OK: break
    case ARCHIVE_EOF: isAtEnd = true
    default: fail()
    }
    // libarchive peels off compression as often as it finds some, and a bomb in a bomb multiplies.
    if failure == nil, archive_filter_count(handle) > 2 { failure = "is compressed more than once" }
  }

  private var isAtEnd = false

  private func fail() { failure = source?.failure ?? archive_error_string(handle).map { String(cString: $0) } ?? "unreadable" }

  deinit { archive_read_free(handle) }

  /// The next piece, valid until the next call; empty at the end; nil after a failure or beyond a limit.
  func next() -> UnsafeRawBufferPointer? {
    guard failure == nil, exceeded == nil else { return nil }
    if rest.isEmpty {
      guard !isAtEnd else { return rest }
      var start: UnsafeRawPointer?
      var count = 0
      var offset: Int64 = 0
      repeat {
        switch archive_read_data_block(handle, &start, &count, &offset) {
        case ARCHIVE_OK: break
        case ARCHIVE_EOF:
          isAtEnd = true
          return UnsafeRawBufferPointer(start: nil, count: 0)
        default:
          fail()
          return nil
        }
      } while count == 0
      rest = UnsafeRawBufferPointer(start: start, count: count)
    }
    let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(Self.piece))
    rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(piece.count))
    total += Int64(piece.count)
    if let limit = limits.exceeded(by: total) {
      exceeded = limit
      return nil
    }
    // One piece may have been read ahead.
    if total > allowance, total - Int64(piece.count) > allowance {
      exceeded = "headers of more than \(ArchiveLimits.headers >> 20) MiB"
      return nil
    }
    return piece
  }
}

/// Bytes that somebody else reads, in pieces.
private final class PieceSource {
  private let read: (UnsafeMutableRawBufferPointer) throws(FeedError) -> Int
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 4096)
  /// Why nothing more can be read.
  private(set) var failure: String?

  init(_ read: @escaping (UnsafeMutableRawBufferPointer) throws(FeedError) -> Int) { self.read = read }

  deinit { buffer.deallocate() }

  /// Valid until the next call; empty at the end, nil after a failure.
  func next() -> UnsafeRawBufferPointer? {
    do throws(FeedError) {
      return UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<(try read(buffer))])
    } catch {
      failure = error.reason
      return nil
    }
  }
}

/// How much may come out of a compressed archive.
struct ArchiveLimits: Sendable {
  /// Size of the compressed form.
  var compressed: Int64
  /// Decompressed bytes at most.
  var bytes: Int64
  /// Decompressed bytes for one compressed byte at most, once ``floor`` came out.
  var ratio: Int64
  /// What may come out whatever the ratio: short archives of headers and zeros compress well.
  var floor: Int64 = 64 << 20

  /// Headers of one entry at most, with all their extensions.
  static let headers: Int64 = 4 << 20

  func exceeded(by total: Int64) -> String? {
    if total > bytes { return "unpacks to more than \(bytes >> 20) MiB" }
    if total > floor, total / max(1, compressed) >= ratio { return "unpacks to more than \(ratio) times its size" }
    return nil
  }
}
