import FoundationEssentials

/// Takes a tar that others wrote in pieces of any size and hands out its entries. Nothing is held but one header.
package final class TarReader {
  /// Bounds of one archive.
  package struct Limits: Sendable {
    package var entries = 1_000_000
    package var bytes: Int64 = 64 << 30
    package init() {}
  }
  /// Takes a file's bytes in pieces, valid during the call.
  package typealias Content = (UnsafeRawBufferPointer) throws -> Void

  private enum State {
    case header
    case extended(left: Int)
    case content(left: Int64, sink: Content?)
    case padding(left: Int)
    /// After the first of two blocks of zeros.
    case ending
    case ended
  }

  private let what: String
  private let limits: Limits
  private let entry: (TarEntry) throws -> Content?
  private var reader: TarHeaderReader
  private var state = State.header
  private var partial: [UInt8] = []
  private var entries = 0
  private var total: Int64 = 0

  /// `what` is for messages. `entry` is called for each entry in the archive's order and returns what takes a file's bytes (nil to skip them).
  /// Paths are relative, without `.` and `..`; that of the root is empty. The target of a hard link is such a path.
  package init(what: String, limits: Limits = Limits(), entry: @escaping (TarEntry) throws -> Content?) {
    self.what = what
    self.limits = limits
    self.entry = entry
    reader = TarHeaderReader(what: what)
  }

  package func feed(_ bytes: UnsafeRawBufferPointer) throws {
    var rest = bytes
    total += Int64(bytes.count)
    guard total <= limits.bytes else { throw OCIImageError.malformed(what: what, reason: "is larger than \(limits.bytes >> 20) MiB") }
    while !rest.isEmpty {
      let count: Int
      switch state {
      case .header, .ending: count = try takeBlock(rest)
      case .extended(let left): count = try takeExtension(rest, left: left)
      case .content(let left, let sink):
        count = Int(min(left, Int64(rest.count)))
        try sink?(UnsafeRawBufferPointer(rebasing: rest[..<count]))
        state = .content(left: left - Int64(count), sink: sink)
        if left == Int64(count) { state = .header }
      case .padding(let left):
        count = min(left, rest.count)
        state = left == count ? .header : .padding(left: left - count)
      case .ended:
        guard rest.allSatisfy({ $0 == 0 }) else { throw OCIImageError.malformed(what: what, reason: "has bytes after its end") }
        count = rest.count
      }
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      if case .header = state, padding > 0, count > 0 {
        state = .padding(left: padding)
        padding = 0
      }
    }
  }

  /// To be called after the last piece; throws when the archive was cut off.
  package func finish() throws {
    switch state {
    case .ended: return
    // Some writers leave the end out.
    case .header where partial.isEmpty && entries > 0: return
    default: throw OCIImageError.malformed(what: what, reason: "ends in the middle")
    }
  }

  /// Bytes to skip once the body that is being read has ended.
  private var padding = 0

  private func takeBlock(_ bytes: UnsafeRawBufferPointer) throws -> Int {
    let count = min(TarHeader.blockSize - partial.count, bytes.count)
    partial.append(contentsOf: bytes[..<count])
    guard partial.count == TarHeader.blockSize else { return count }
    let step = try reader.take(partial)
    partial.removeAll(keepingCapacity: true)
    if case .ending = state {
      guard case .zeros = step else { throw OCIImageError.malformed(what: what, reason: "has a block of zeros within") }
      state = .ended
      return count
    }
    switch step {
    case .zeros: state = .ending
    case .extended(let size):
      padding = TarHeader.padding(after: Int64(size))
      if size > 0 { state = .extended(left: size) } else { try reader.takeExtension([]) }
    case .entry(let found):
      entries += 1
      guard entries <= limits.entries else { throw OCIImageError.malformed(what: what, reason: "has more than \(limits.entries) entries") }
      let sink = try entry(found)
      if case .file(let size) = found.kind, size > 0 {
        padding = TarHeader.padding(after: size)
        state = .content(left: size, sink: sink)
      }
    }
    return count
  }

  private func takeExtension(_ bytes: UnsafeRawBufferPointer, left: Int) throws -> Int {
    let count = min(left, bytes.count)
    partial.append(contentsOf: bytes[..<count])
    guard left == count else {
      state = .extended(left: left - count)
      return count
    }
    try reader.takeExtension(partial)
    partial.removeAll(keepingCapacity: true)
    state = .header
    return count
  }
}
