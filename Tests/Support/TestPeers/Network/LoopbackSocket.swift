import Glibc

/// A blocking TCP socket on loopback, with a buffer for what it has received.
package final class LoopbackSocket {
  package let descriptor: Int32
  private var buffer: [UInt8] = []

  /// Takes a connected socket; the caller closes it.
  package init(_ descriptor: Int32) { self.descriptor = descriptor }

  // MARK: Connections

  /// A socket that listens on a free port, and the port.
  package static func listen() throws -> (descriptor: Int32, port: UInt16) {
    let descriptor = make()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    var address = address(port: 0)
    let code = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) | getsockname(descriptor, $0, &length) }
    }
    guard descriptor >= 0, code == 0, Glibc.listen(descriptor, 64) == 0 else {
      throw PeerError("no socket listens: \(String(cString: strerror(errno)))")
    }
    return (descriptor, UInt16(bigEndian: address.sin_port))
  }

  /// nil when nobody accepts the connection.
  package static func connect(port: UInt16) -> LoopbackSocket? {
    let descriptor = make()
    var address = address(port: port)
    let code = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
    if code == 0 { return LoopbackSocket(descriptor) }
    close(descriptor)
    return nil
  }

  private static func make() -> Int32 { socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0) }

  private static func address(port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    address.sin_port = port.bigEndian
    return address
  }

  // MARK: Bytes

  /// The text up to an empty line; nil when the peer ends the connection before that.
  package func readHead() -> String? {
    let end = Array("\r\n\r\n".utf8)
    while true {
      if let range = buffer.firstRange(of: end) {
        let head = String(decoding: buffer[..<range.lowerBound], as: UTF8.self)
        buffer.removeSubrange(..<range.upperBound)
        return head
      }
      guard buffer.count < 65536, receive() else { return nil }
    }
  }

  /// The next bytes, at most `limit`; none at the end.
  package func readSome(limit: Int = 1 << 20) -> [UInt8] {
    if buffer.isEmpty, !receive() { return [] }
    let bytes = Array(buffer.prefix(limit))
    buffer.removeFirst(bytes.count)
    return bytes
  }

  private func receive() -> Bool {
    var bytes = [UInt8](repeating: 0, count: 256 << 10)
    let count = recv(descriptor, &bytes, bytes.count, 0)
    if count > 0 { buffer += bytes[..<count] }
    return count > 0
  }

  /// Sends all bytes; false when the peer takes no more.
  package func send(_ bytes: [UInt8]) -> Bool {
    var sent = 0
    while sent < bytes.count {
      let count = bytes.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL)) }
      guard count > 0 else { return false }
      sent += count
    }
    return true
  }
}

/// A port of loopback that was free a moment ago, for programs that want to be told theirs. It may be taken before they listen.
package func freePort() throws -> UInt16 {
  let (descriptor, port) = try LoopbackSocket.listen()
  close(descriptor)
  return port
}
