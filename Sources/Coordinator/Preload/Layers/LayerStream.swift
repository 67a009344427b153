import BuildModel
import CDeflate
import Glibc

import struct Crypto.SHA256

/// The uncompressed bytes of a layer blob, piece by piece in bounded memory; both digests are checked at the end.
///
/// Takes plain tar and gzip of any number of members. Members that fit into a piece are unpacked by libdeflate, which is faster, others by zlib.
final class LayerStream {
  private static let windowSize = 4 << 20
  private static let pieceSize = 4 << 20
  /// libdeflate is tried when at least this much of a member is there.
  private static let wholeMember = 2 << 20

  private enum Format { case plain, gzip }

  private let file: DiskFile
  private let digest: Digest
  private let diffID: Digest
  private let format: Format
  private let window = UnsafeMutableRawBufferPointer.allocate(byteCount: windowSize, alignment: 4096)
  private let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceSize, alignment: 4096)
  private let decompressor: OpaquePointer
  private let inflater = Inflater()
  private var start = 0
  private var end = 0
  private var ended = false
  private var insideMember = false
  private var membersFit = true
  private var blobHash = SHA256()
  private var contentHash = SHA256()
  /// Uncompressed bytes so far.
  private(set) var count: Int64 = 0

  init(path: String, digest: Digest, diffID: Digest) throws(PreloadError) {
    file = try DiskFile(path, .read)
    self.digest = digest
    self.diffID = diffID
    let magic = try file.size() >= 4 ? try file.read(4, at: 0) : []
    guard magic != [0x28, 0xB5, 0x2F, 0xFD] else {
      throw .layer(digest: digest, reason: "is compressed with zstd, which devices cannot read; use gzip")
    }
    format = magic.starts(with: [0x1F, 0x8B]) ? .gzip : .plain
    guard let allocated = libdeflate_alloc_decompressor() else { throw .system(operation: "allocate", path: "a decompressor", errno: ENOMEM) }
    decompressor = allocated
  }

  deinit {
    libdeflate_free_decompressor(decompressor)
    window.deallocate()
    piece.deallocate()
  }

  /// The next bytes, valid until the next call; nil at the end, when both digests have been found right.
  func next() throws(PreloadError) -> UnsafeRawBufferPointer? {
    let bytes: UnsafeRawBufferPointer?
    switch format {
    case .plain: bytes = try nextPlain()
    case .gzip: bytes = try nextUnpacked()
    }
    guard let bytes else {
      try finish()
      return nil
    }
    contentHash.update(bufferPointer: bytes)
    count += Int64(bytes.count)
    return bytes
  }

  private func finish() throws(PreloadError) {
    guard Digest(bytes: blobHash.finalize()) == digest else { throw .layer(digest: digest, reason: "its blob \(file.path) has another digest") }
    guard Digest(bytes: contentHash.finalize()) == diffID else {
      throw .layer(digest: digest, reason: "its uncompressed content is not the diff id \(diffID) of the image's configuration")
    }
  }

  private func nextPlain() throws(PreloadError) -> UnsafeRawBufferPointer? {
    start = end
    try fill()
    guard end > start else { return nil }
    let bytes = UnsafeRawBufferPointer(rebasing: window[start..<end])
    start = end
    return bytes
  }

  private func nextUnpacked() throws(PreloadError) -> UnsafeRawBufferPointer? {
    while true {
      if end - start < Self.wholeMember { try fill() }
      if start == end {
        guard !insideMember else { throw .layer(digest: digest, reason: "its gzip data ends in the middle") }
        return nil
      }
      if !insideMember, membersFit {
        var used = 0
        var made = 0
        let result = libdeflate_gzip_decompress_ex(
          decompressor, window.baseAddress.map { $0 + start }, end - start, piece.baseAddress, Self.pieceSize, &used, &made)
        if result == LIBDEFLATE_SUCCESS {
          start += used
          if made == 0 { continue }
          return UnsafeRawBufferPointer(rebasing: piece[..<made])
        }
        membersFit = false
      }
      if !insideMember {
        guard inflater.begin() else { throw .system(operation: "allocate", path: "a decompressor", errno: ENOMEM) }
        insideMember = true
      }
      switch inflater.step(UnsafeRawBufferPointer(rebasing: window[start..<end]), into: piece) {
      case .progress(let used, let made, let memberEnded):
        start += used
        if memberEnded { insideMember = false }
        if made == 0 { continue }
        return UnsafeRawBufferPointer(rebasing: piece[..<made])
      case .failed(let reason): throw .layer(digest: digest, reason: "its gzip data is damaged: \(reason)")
      }
    }
  }

  /// Moves what is left to the front of the window and reads until it is full or the file ends.
  private func fill() throws(PreloadError) {
    guard !ended, let base = window.baseAddress else { return }
    memmove(base, base + start, end - start)
    end -= start
    start = 0
    while end < Self.windowSize {
      let count = read(file.descriptor, base + end, Self.windowSize - end)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw file.failed("read") }
      guard count > 0 else {
        ended = true
        return
      }
      blobHash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: window[end..<end + count]))
      end += count
    }
  }
}
