import BlobStore
import BuildModel
import FoundationEssentials

/// Streams one layer's tar, in one pass, a few chunks held in memory: as a gzip blob into a store, or as it is to a sink.
/// Hashing runs on a thread of its own, compression on all cores.
package final class LayerWriter {
  /// Takes the tar's bytes in pieces, valid during the call.
  package typealias Sink = (UnsafeRawBufferPointer) throws(OCIImageError) -> Void

  private enum Output {
    case blob(BlobWriter, GzipChunks)
    case plain(Sink)
  }

  private let output: Output
  private let hash = ChunkHash()
  private var chunk = LayerChunk()
  private var last: [UInt8]?
  private var left: Int64 = 0
  private var padding = 0
  /// Bytes of tar so far.
  package private(set) var tarSize: Int64 = 0

  /// The layer becomes a gzip blob of the store; end it with ``finish()``.
  package init(store: BlobStore) throws(OCIImageError) {
    do {
      let blob = try BlobWriter(store: store)
      output = .blob(blob, GzipChunks(into: blob))
    } catch { throw .store(error) }
  }

  /// The uncompressed tar goes to `sink`; end it with ``finishTar()``.
  package init(into sink: @escaping Sink) { output = .plain(sink) }

  /// Begins an entry. Entries must come in ascending order of path components; of a file, exactly its size must follow by ``write(_:)`` or
  /// ``fill(_:from:)``.
  package func begin(_ entry: TarEntry) throws(OCIImageError) {
    try endFile()
    if let last, !LayerOrder.ascends(last, entry.path) { throw .invalidPath(String(decoding: entry.path, as: UTF8.self)) }
    last = entry.path
    try emit(TarHeader.blocks(for: entry))
    if case .file(let size) = entry.kind {
      left = size
      padding = TarHeader.padding(after: size)
    }
  }

  package func write(_ bytes: UnsafeRawBufferPointer) throws(OCIImageError) {
    guard Int64(bytes.count) <= left else { throw .malformed(what: pathText, reason: "more bytes than announced") }
    left -= Int64(bytes.count)
    try emit(bytes)
  }

  /// Takes the next `count` bytes of the file from `read`, which fills the buffer that it is given; the number is that of the bytes before it.
  package func fill(_ count: Int64, from read: (UnsafeMutableRawBufferPointer, Int64) throws -> Void) throws {
    guard count <= left else { throw OCIImageError.malformed(what: pathText, reason: "more bytes than announced") }
    left -= count
    var done: Int64 = 0
    while done < count {
      let room = chunk.room
      let piece = UnsafeMutableRawBufferPointer(rebasing: room[..<Int(min(Int64(room.count), count - done))])
      try read(piece, done)
      chunk.advance(by: piece.count)
      tarSize += Int64(piece.count)
      done += Int64(piece.count)
      if chunk.count == GzipChunks.chunkSize { try flush() }
    }
  }

  private func endFile() throws(OCIImageError) {
    guard left == 0 else { throw .malformed(what: pathText, reason: "\(Counted(left, "byte")) are missing") }
    if padding > 0 { try emit([UInt8](repeating: 0, count: padding)) }
    padding = 0
  }

  private var pathText: String { String(decoding: last ?? [], as: UTF8.self) }

  /// Ends the tar and returns its digest, the diff id.
  package func finishTar() throws(OCIImageError) -> Digest {
    try endFile()
    try emit([UInt8](repeating: 0, count: 2 * TarHeader.blockSize))
    if chunk.count > 0 { try flush() }
    guard let diffID = hash.finish() else { throw .compression("no digest") }
    return diffID
  }

  /// Ends a layer that goes into a store.
  package func finish() throws(OCIImageError) -> BlockResult.Layer {
    let diffID = try finishTar()
    guard case .blob(let blob, let gzip) = output else { throw .compression("a plain layer has no blob") }
    try gzip.finish()
    do { return BlockResult.Layer(blob: try blob.finish(expecting: nil), diffID: diffID) } catch { throw .store(error) }
  }

  private func emit(_ bytes: [UInt8]) throws(OCIImageError) {
    var failure: OCIImageError?
    bytes.withUnsafeBytes { buffer in
      do throws(OCIImageError) { try emit(buffer) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  private func emit(_ bytes: UnsafeRawBufferPointer) throws(OCIImageError) {
    tarSize += Int64(bytes.count)
    var rest = bytes
    while !rest.isEmpty {
      rest = UnsafeRawBufferPointer(rebasing: rest[chunk.append(rest)...])
      if chunk.count == GzipChunks.chunkSize { try flush() }
    }
  }

  private func flush() throws(OCIImageError) {
    let full = chunk
    chunk = LayerChunk()
    hash.update(full)
    switch output {
    case .blob(_, let gzip): try gzip.submit(full)
    case .plain(let sink): try sink(full.bytes)
    }
  }
}

/// The order of entries in a layer: by path components, so that a directory comes right before what it holds.
package enum LayerOrder {
  /// Whether `a` comes before `b`; `/` sorts below every other byte.
  package static func ascends(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    a.lexicographicallyPrecedes(b) { rank($0) < rank($1) }
  }
  private static func rank(_ byte: UInt8) -> UInt8 { byte == UInt8(ascii: "/") ? 0 : byte }
}
