import BuildModel
import FoundationEssentials
import Glibc

/// Standard output: the marker line first, then JSON lines or frames, each written at once.
enum StandardOutput {
  /// Whoever read the output is gone.
  struct Closed: Error {}

  static func begin() throws { try write(Array((WorkerProtocol.marker + "\n").utf8)) }

  static func line(_ value: some Encodable) throws {
    try write(try WorkerProtocol.line(value))
  }

  static func write(_ bytes: [UInt8]) throws {
    try bytes.withUnsafeBytes { try write($0) }
  }

  static func write(_ bytes: UnsafeRawBufferPointer) throws {
    var rest = bytes
    while !rest.isEmpty {
      let count = Glibc.write(1, rest.baseAddress, rest.count)
      if count < 0, errno == EINTR { continue }
      if count < 0, errno == EAGAIN {
        var polled = pollfd(fd: 1, events: Int16(POLLOUT), revents: 0)
        poll(&polled, 1, -1)
        continue
      }
      guard count >= 0 else { throw Closed() }
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
  }
}

/// Standard input, read to its end.
enum StandardInput {
  /// Calls `body` with each piece until the end of the input.
  static func read(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
    defer { buffer.deallocate() }
    while true {
      let count = Glibc.read(0, buffer.baseAddress, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw WorkerExit(status: 1, message: "standard input: \(String(cString: strerror(errno)))") }
      if count == 0 { return }
      try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
  }

  /// All lines of the input, at most `limit` bytes together; empty ones are left out.
  static func lines(limit: Int = 64 << 20) throws -> [ArraySlice<UInt8>] {
    var bytes: [UInt8] = []
    try read { piece in
      guard bytes.count + piece.count <= limit else { throw WorkerExit.usage("more than \(limit) bytes on standard input") }
      bytes.append(contentsOf: piece)
    }
    return bytes.split(separator: UInt8(ascii: "\n"))
  }

  /// One value a line.
  static func decodeLines<Value: Decodable>(_ type: Value.Type) throws -> [Value] {
    try lines().map { line in
      do {
        return try WorkerProtocol.decode(type, from: line)
      } catch {
        throw WorkerExit.usage("a line on standard input is no \(type): \(error)")
      }
    }
  }
}
