import Glibc

/// What a child writes: the reading ends of one or two pipes.
struct ChildOutput: ~Copyable {
  /// -1 once the end was reached.
  private(set) var sources: [Int32]
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65536, alignment: 16)

  /// Owns the descriptors from here on.
  init(_ sources: [Int32]) {
    self.sources = sources
    for source in sources { _ = fcntl(source, F_SETFL, O_NONBLOCK) }
  }

  deinit {
    for source in sources where source >= 0 { close(source) }
    buffer.deallocate()
  }

  /// Hands on what is there; returns whether anything was. At most 1 MiB of each stream, as much as a pipe holds: of a child that never stops
  /// writing the limits must be looked at, too.
  mutating func drain(_ body: (_ stream: Int, _ piece: UnsafeRawBufferPointer) throws -> Void) throws -> Bool {
    var hasCome = false
    for index in sources.indices {
      for _ in 0..<16 {
        guard sources[index] >= 0 else { break }
        let count = read(sources[index], buffer.baseAddress, buffer.count)
        if count < 0 {
          if errno == EINTR { continue }
          break
        }
        if count == 0 {
          close(sources[index])
          sources[index] = -1
        } else {
          hasCome = true
          try body(index, UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
      }
    }
    return hasCome
  }
}
