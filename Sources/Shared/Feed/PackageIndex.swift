import BuildModel
import Glibc

/// A parsed `Packages` file.
package struct PackageIndex: Sendable {
  package var stanzas: [PackageStanza]
  /// Bytes of each stanza in the file, without the blank line after it.
  package var places: [Range<Int>]

  /// A larger index is refused.
  package static let byteLimit = 256 << 20

  init() {
    stanzas = []
    places = []
  }

  /// Parses an index in memory; the first thing that is wrong is thrown.
  package init(_ bytes: [UInt8], file: String) throws(FeedError) {
    var parser = IndexParser(isStrict: true)
    _ = bytes.withUnsafeBytes { parser.take($0, isLast: true) }
    parser.finish()
    try self.init(parser, file: file)
  }

  /// Parses an index on disk in pieces of 1 MiB, so that its text is never in memory as a whole.
  package init(path: String) throws(FeedError) {
    var parser = IndexParser(isStrict: true)
    try parser.read(file: path)
    try self.init(parser, file: path)
  }

  /// The stanzas of an index that say something usable; the others are for ``FeedCheck`` to report.
  package static func readable(path: String) throws(FeedError) -> [PackageStanza] {
    var parser = IndexParser(isStrict: false)
    try parser.read(file: path)
    return parser.stanzas
  }

  /// The same of an index in memory.
  package static func readable(_ bytes: [UInt8]) -> [PackageStanza] {
    var parser = IndexParser(isStrict: false)
    _ = bytes.withUnsafeBytes { parser.take($0, isLast: true) }
    parser.finish()
    return parser.stanzas
  }

  private init(_ parser: IndexParser, file: String) throws(FeedError) {
    if let problem = parser.problems.first { throw .malformed(file: file, reason: problem.reason) }
    stanzas = parser.stanzas
    places = parser.places
  }
}

extension IndexParser {
  /// Reads a regular file of at most ``PackageIndex/byteLimit`` bytes and finishes; `tap` sees every byte that was read.
  mutating func read(file path: String, tap: (UnsafeRawBufferPointer) -> Void = { _ in }) throws(FeedError) {
    let descriptor = try FeedFile.openRegular(path)
    defer { close(descriptor) }
    // A whole line always fits beside the piece that is read.
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * Self.lineLimit + 1, alignment: 4096)
    defer { buffer.deallocate() }
    var held = 0
    var total = 0
    while !isOver {
      let count = Glibc.read(descriptor, buffer.baseAddress?.advanced(by: held), buffer.count - held)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw .system(operation: "read", path: path, errno: errno) }
      total += count
      guard total <= PackageIndex.byteLimit else { throw .malformed(file: path, reason: "is larger than \(PackageIndex.byteLimit >> 20) MiB") }
      tap(UnsafeRawBufferPointer(rebasing: buffer[held..<held + count]))
      let filled = held + count
      let used = take(UnsafeRawBufferPointer(rebasing: buffer[..<filled]), isLast: count == 0)
      if count == 0 { break }
      held = filled - used
      if used > 0, held > 0, let start = buffer.baseAddress { memmove(start, start + used, held) }
    }
    finish()
  }
}
