import BuildModel
import Glibc

/// Reads a layer's tar member by member; what is not content goes to `tarSplit` as it is.
struct TarReader: ~Copyable {
  private static let longestExtension = 1 << 20
  private static let block = 512

  private let stream: LayerStream
  private let tarSplit: TarSplitWriter
  private let digest: Digest
  private var piece = UnsafeRawBufferPointer(start: nil, count: 0)
  private var unpadded: Int64 = 0

  init(_ stream: LayerStream, tarSplit: TarSplitWriter, digest: Digest) {
    self.stream = stream
    self.tarSplit = tarSplit
    self.digest = digest
  }

  /// The next member; its content must be taken before the next call. nil at the end of the archive, when the whole blob was read and checked.
  mutating func next() throws(PreloadError) -> TarMember? {
    try skipPadding()
    var records = PaxRecords()
    var longName: [UInt8]?
    var longLink: [UInt8]?
    while let block = try headerBlock() {
      do {
        guard block.contains(where: { $0 != 0 }) else {
          try end()
          return nil
        }
        let header = try block.withUnsafeBytesTyped { (bytes) throws(LayerFault) in try TarHeaderBlock(bytes) }
        switch header.type {
        case UInt8(ascii: "x"): records = try PaxRecords(extensionData(header))
        // Docker reads global headers and does not apply them.
        case UInt8(ascii: "g"): _ = try extensionData(header)
        case UInt8(ascii: "L"): longName = Array(try extensionData(header).prefix { $0 != 0 })
        case UInt8(ascii: "K"): longLink = Array(try extensionData(header).prefix { $0 != 0 })
        default:
          let member = try TarMember(header, records, longName: longName, longLink: longLink)
          if case .file(let size) = member.kind { unpadded = size }
          return member
        }
      } catch let fault as LayerFault {
        throw .layer(digest: digest, reason: fault.reason)
      } catch let error as PreloadError {
        throw error
      } catch {
        throw .layer(digest: digest, reason: "\(error)")
      }
    }
    return nil
  }

  /// The next part of the current member's content, at most `limit` bytes, valid until the next call.
  mutating func content(_ limit: Int64) throws(PreloadError) -> UnsafeRawBufferPointer {
    guard try load() else { throw .layer(digest: digest, reason: "its tar ends in the middle of a file") }
    return take(Int(min(limit, Int64(piece.count))))
  }

  private mutating func take(_ count: Int) -> UnsafeRawBufferPointer {
    let bytes = UnsafeRawBufferPointer(rebasing: piece[..<count])
    piece = UnsafeRawBufferPointer(rebasing: piece[count...])
    return bytes
  }

  /// False at the end of the stream.
  private mutating func load() throws(PreloadError) -> Bool {
    while piece.isEmpty {
      guard let next = try stream.next() else { return false }
      piece = next
    }
    return true
  }

  /// Bytes that are not content: they are copied to tar-split. Fewer than `count` only at the end of the stream.
  private mutating func raw(_ count: Int) throws(PreloadError) -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < count, try load() {
      let part = take(min(count - bytes.count, piece.count))
      tarSplit.add(raw: part)
      bytes += part
    }
    return bytes
  }

  private mutating func skipPadding() throws(PreloadError) {
    let padding = Int((512 - unpadded % 512) % 512)
    unpadded = 0
    // An archive that ends within the padding of its last file ends there for Go's reader, and so for devices; umoci writes such ones.
    _ = try raw(padding)
  }

  /// nil where the archive ends without its two blocks of zeros, which readers accept.
  private mutating func headerBlock() throws(PreloadError) -> [UInt8]? {
    let bytes = try raw(Self.block)
    if bytes.isEmpty { return nil }
    guard bytes.count == Self.block else { throw .layer(digest: digest, reason: "its tar ends in the middle of a header") }
    return bytes
  }

  private mutating func extensionData(_ header: TarHeaderBlock) throws -> [UInt8] {
    let size = try header.size()
    guard (0...Int64(Self.longestExtension)).contains(size) else { throw LayerFault("has an extended header of \(size) bytes") }
    let bytes = try raw(Int(size))
    guard bytes.count == Int(size) else { throw LayerFault("ends in the middle of an extended header") }
    unpadded = size
    try skipPadding()
    return bytes
  }

  /// After the first block of zeros: a second one, then anything, which belongs to the layer's bytes all the same.
  private mutating func end() throws(PreloadError) {
    let second = try raw(Self.block)
    guard second.allSatisfy({ $0 == 0 }) else { throw .layer(digest: digest, reason: "its tar goes on after a block of zeros") }
    while try load() { tarSplit.add(raw: take(piece.count)) }
  }
}

extension [UInt8] {
  func withUnsafeBytesTyped<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
    try withUnsafeBufferPointer { (buffer) throws(E) in try body(UnsafeRawBufferPointer(buffer)) }
  }
}
