import Foundation

extension LoopbackSocket {
  static func connect(port: UInt16) -> LoopbackSocket? {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    address.sin_port = port.bigEndian
    let code = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    if code == 0 { return LoopbackSocket(descriptor) }
    close(descriptor)
    return nil
  }

  static func accepts(port: UInt16) -> Bool {
    guard let socket = connect(port: port) else { return false }
    close(socket.descriptor)
    return true
  }
}
