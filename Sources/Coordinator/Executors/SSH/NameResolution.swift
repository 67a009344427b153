import BoundedConcurrency
// The socket constants: Swift finds them in the first C module that includes sys/socket.h.
import CSSH2
import Glibc

/// An address to connect to.
struct SocketAddress: Sendable {
  let family: Int32
  /// Numeric, for messages.
  let text: String
  private let bytes: [UInt8]

  init(_ info: addrinfo) {
    family = info.ai_family
    bytes = Array(UnsafeRawBufferPointer(start: info.ai_addr, count: Int(info.ai_addrlen)))
    var name = [CChar](repeating: 0, count: Int(NI_MAXHOST))
    let isNumeric = getnameinfo(info.ai_addr, info.ai_addrlen, &name, socklen_t(name.count), nil, 0, NI_NUMERICHOST) == 0
    text = isNumeric ? String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self) : "?"
  }

  /// connect(2).
  func connect(_ descriptor: Int32) -> Int32 {
    bytes.withUnsafeBytes { buffer in
      guard let base = buffer.baseAddress else { return -1 }
      return Glibc.connect(descriptor, base.assumingMemoryBound(to: sockaddr.self), socklen_t(buffer.count))
    }
  }
}

enum NameResolution {
  private static let calls = HangingCalls(label: "blockfarm.names", atOnce: 16)

  private enum Answer: Sendable {
    case found([SocketAddress])
    case failed(String)
  }

  /// All addresses of a host in the system's order. The resolver may hang for as long as its name servers do, and is left behind at the deadline.
  static func addresses(
    of host: String, port: UInt16, hostName: String, until deadline: ContinuousClock.Instant
  ) async throws -> [SocketAddress] {
    switch try await calls.run(until: deadline, { look(up: host, port: port) }) {
    case .found(let addresses): return addresses
    case .failed(let reason): throw ExecutorError.unreachable(host: hostName, reason: "\(host): \(reason)")
    case nil: throw ExecutorError.unreachable(host: hostName, reason: "\(host): no answer to the name look-up")
    }
  }

  private static func look(up host: String, port: UInt16) -> Answer {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = AI_ADDRCONFIG
    var list: UnsafeMutablePointer<addrinfo>?
    var code = getaddrinfo(host, String(port), &hints, &list)
    if code != 0 {
      // Without any configured network only loopback exists, which AI_ADDRCONFIG does not count.
      hints.ai_flags = 0
      code = getaddrinfo(host, String(port), &hints, &list)
    }
    guard code == 0 else { return .failed(String(cString: gai_strerror(code))) }
    defer { freeaddrinfo(list) }
    var addresses: [SocketAddress] = []
    var next = list
    while let entry = next {
      addresses.append(SocketAddress(entry.pointee))
      next = entry.pointee.ai_next
    }
    return addresses.isEmpty ? .failed("it has no address") : .found(addresses)
  }
}
