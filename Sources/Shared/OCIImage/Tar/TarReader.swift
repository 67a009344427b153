import FoundationEssentials

/// Gives an archive's bytes piece by piece.
package protocol TarSource: AnyObject {
  /// The next bytes, valid until the next call and never none; nil at the end.
  func next() throws(OCIImageError) -> UnsafeRawBufferPointer?
}

/// Reads a tar that others wrote, member by member. Nothing is held but one header.
///
/// It reads as Go's reader does, and so as engines on devices do: an archive may end without its two blocks of zeros, or within the padding of its
/// last file (umoci writes such ones), and what comes after its end means nothing.
package struct TarReader: ~Copyable {
  /// Bounds of one archive.
  package struct Limits: Sendable {
    package var entries = 1_000_000
    /// Of the whole tar.
    package var bytes: Int64 = 64 << 30
    /// Of names, targets of links and extended attributes together, all of which somebody may have to keep.
    package var metadata = 512 << 20
    package init() {}
  }

  private let source: any TarSource
  private let what: String
  private let limits: Limits
  private let raw: (UnsafeRawBufferPointer) -> Void
  private var headers = TarHeaderReader()
  private var piece = UnsafeRawBufferPointer(start: nil, count: 0)
  /// Bytes of the present member's content that nobody has taken yet.
  private var left: Int64 = 0
  private var padding = 0
  /// Members so far.
  package private(set) var count = 0
  /// Bytes of their names, targets and attributes.
  private(set) var metadata = 0
  /// Whether something other than zeros stands behind the archive's end; known when ``next()`` has given nil.
  package private(set) var hasBytesAfterEnd = false

  /// `what` is for messages. `raw` gets, in order, all bytes that are not content: headers, padding and what comes after the end.
  package init(_ source: any TarSource, what: String, limits: Limits = Limits(), raw: @escaping (UnsafeRawBufferPointer) -> Void = { _ in }) {
    self.source = source
    self.what = what
    self.limits = limits
    self.raw = raw
  }

  /// The next member; content of the one before that was not taken is skipped. nil at the end, when the source has been read to its end.
  package mutating func next() throws(OCIImageError) -> TarMember? {
    while try content() != nil {}
    try skipPadding()
    while let block = try headerBlock() {
      switch try step(block) {
      case .zeros:
        try end()
        return nil
      case .extended(let size):
        let bytes = try takeRaw(size)
        guard bytes.count == size else { throw wrong("its tar ends in the middle of an extended header") }
        padding = TarHeader.padding(after: Int64(size))
        try skipPadding()
        do { try headers.takeExtension(bytes) } catch { throw wrong(error.reason) }
      case .member(let member):
        try count(member)
        if case .file(let size) = member.kind { left = size }
        padding = TarHeader.padding(after: left)
        return member
      }
    }
    return nil
  }

  /// The next part of the present member's content, valid until the next call; nil when there is no more.
  package mutating func content() throws(OCIImageError) -> UnsafeRawBufferPointer? {
    guard left > 0 else { return nil }
    guard try load() else { throw wrong("its tar ends in the middle of a file") }
    let bytes = take(Int(min(left, Int64(piece.count))))
    left -= Int64(bytes.count)
    return bytes
  }

  private func wrong(_ reason: String) -> OCIImageError { .malformed(what: what, reason: reason) }

  private mutating func step(_ block: [UInt8]) throws(OCIImageError) -> TarHeaderReader.Step {
    do { return try headers.take(block) } catch { throw wrong(error.reason) }
  }

  private mutating func count(_ member: TarMember) throws(OCIImageError) {
    count += 1
    guard count <= limits.entries else { throw wrong("it has more than \(limits.entries) entries") }
    metadata += member.metadataSize
    guard metadata <= limits.metadata else { throw wrong("its names and attributes have more than \(limits.metadata >> 20) MiB") }
  }

  /// False at the end of the source.
  private mutating func load() throws(OCIImageError) -> Bool {
    while piece.isEmpty {
      guard let next = try source.next() else { return false }
      piece = next
    }
    return true
  }

  private mutating func take(_ count: Int) -> UnsafeRawBufferPointer {
    let bytes = UnsafeRawBufferPointer(rebasing: piece[..<count])
    piece = UnsafeRawBufferPointer(rebasing: piece[count...])
    return bytes
  }

  /// Bytes that are not content. Fewer than `count` only at the end of the source.
  private mutating func takeRaw(_ count: Int) throws(OCIImageError) -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < count, try load() {
      let part = take(min(count - bytes.count, piece.count))
      raw(part)
      bytes += part
    }
    return bytes
  }

  private mutating func skipPadding() throws(OCIImageError) {
    guard padding > 0 else { return }
    _ = try takeRaw(padding)
    padding = 0
  }

  /// nil where the archive ends without its two blocks of zeros.
  private mutating func headerBlock() throws(OCIImageError) -> [UInt8]? {
    let bytes = try takeRaw(TarHeaderBlock.size)
    if bytes.isEmpty { return nil }
    guard bytes.count == TarHeaderBlock.size else { throw wrong("its tar ends in the middle of a header") }
    return bytes
  }

  /// After the first block of zeros: a second one, then anything, which belongs to the archive's bytes all the same.
  private mutating func end() throws(OCIImageError) {
    guard try takeRaw(TarHeaderBlock.size).allSatisfy({ $0 == 0 }) else { throw wrong("its tar goes on after a block of zeros") }
    while try load() {
      let rest = take(piece.count)
      if !hasBytesAfterEnd { hasBytesAfterEnd = rest.contains { $0 != 0 } }
      raw(rest)
    }
  }
}
