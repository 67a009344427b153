import BuildModel
import CDeflate
import Glibc

import struct Crypto.SHA256

/// The uncompressed bytes of a layer that anybody wrote, piece by piece in bounded memory; its digests are checked at the end.
///
/// Takes plain tar and gzip of any number of members. Members that fit into a piece are unpacked by libdeflate, which is faster, others by zlib.
package final class LayerReader: TarSource {
  private static let windowSize = 4 << 20
  private static let pieceSize = 4 << 20
  /// libdeflate is tried when at least this much of a member is there.
  private static let wholeMember = 2 << 20

  private let file: InputFile
  private let layer: StoredImage.Layer
  private let limit: Int64
  private let isGzip: Bool
  private let window = UnsafeMutableRawBufferPointer.allocate(byteCount: windowSize, alignment: 4096)
  private let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceSize, alignment: 4096)
  private let decompressor: OpaquePointer
  private let inflater = Inflater()
  /// Where the next bytes of the blob are in the file.
  private var position: Int64
  private var start = 0
  private var end = 0
  private var insideMember = false
  private var membersFit = true
  private var blobHash = SHA256()
  private var contentHash = SHA256()
  /// Uncompressed bytes so far.
  package private(set) var count: Int64 = 0

  /// More uncompressed bytes than `limit` are refused.
  package init(_ layer: StoredImage.Layer, limit: Int64 = TarReader.Limits().bytes) throws(OCIImageError) {
    file = try InputFile(path: layer.path, following: layer.followsLinks)
    self.layer = layer
    self.limit = limit
    position = layer.offset
    guard layer.offset >= 0, layer.size >= 0, layer.size <= file.size - layer.offset else {
      throw .malformed(what: "layer \(layer.label)", reason: "its blob \(layer.path) is cut off")
    }
    let compression = try LayerCompression(at: layer.offset, size: layer.size, in: file)
    if let reason = compression.reasonNotReadable { throw .malformed(what: "layer \(layer.label)", reason: reason) }
    isGzip = compression == .gzip
    guard let allocated = libdeflate_alloc_decompressor() else { throw .compression("no memory for a decompressor") }
    decompressor = allocated
  }

  deinit {
    libdeflate_free_decompressor(decompressor)
    window.deallocate()
    piece.deallocate()
  }

  /// The next bytes, valid until the next call; nil at the end, when the digests have been found right. Nothing may be concluded before.
  package func next() throws(OCIImageError) -> UnsafeRawBufferPointer? {
    guard let bytes = isGzip ? try nextUnpacked() : try nextPlain() else {
      try checkDigests()
      return nil
    }
    count += Int64(bytes.count)
    guard count <= limit else { throw wrong("it is larger than \(limit >> 20) MiB") }
    contentHash.update(bufferPointer: bytes)
    return bytes
  }

  private func wrong(_ reason: String) -> OCIImageError { .malformed(what: "layer \(layer.label)", reason: reason) }

  private func checkDigests() throws(OCIImageError) {
    let content = Digest(bytes: contentHash.finalize())
    if let digest = layer.digest, isGzip ? Digest(bytes: blobHash.finalize()) != digest : content != digest {
      throw wrong("its blob \(layer.path) has another digest")
    }
    guard content == layer.diffID else { throw wrong("its uncompressed content is not the diff id \(layer.diffID) of the image's configuration") }
  }

  private func nextPlain() throws(OCIImageError) -> UnsafeRawBufferPointer? {
    start = end
    try fill()
    guard end > start else { return nil }
    let bytes = UnsafeRawBufferPointer(rebasing: window[start..<end])
    start = end
    return bytes
  }

  private func nextUnpacked() throws(OCIImageError) -> UnsafeRawBufferPointer? {
    while true {
      if end - start < Self.wholeMember { try fill() }
      if start == end {
        guard !insideMember else { throw wrong("its gzip data ends in the middle") }
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
        guard inflater.begin() else { throw .compression("no memory for a decompressor") }
        insideMember = true
      }
      switch inflater.step(UnsafeRawBufferPointer(rebasing: window[start..<end]), into: piece) {
      case .progress(let used, let made, let memberEnded):
        start += used
        if memberEnded { insideMember = false }
        if made == 0 { continue }
        return UnsafeRawBufferPointer(rebasing: piece[..<made])
      case .failed(let reason): throw wrong("its gzip data is damaged: \(reason)")
      }
    }
  }

  /// Moves what is left to the front of the window and reads until it is full or the blob ends.
  private func fill() throws(OCIImageError) {
    let left = layer.offset + layer.size - position
    guard left > 0, let base = window.baseAddress else { return }
    memmove(base, base + start, end - start)
    end -= start
    start = 0
    let part = UnsafeMutableRawBufferPointer(rebasing: window[end..<end + Int(min(left, Int64(Self.windowSize - end)))])
    try file.fill(part, at: position)
    if isGzip, layer.digest != nil { blobHash.update(bufferPointer: UnsafeRawBufferPointer(part)) }
    position += Int64(part.count)
    end += part.count
  }
}
