import Foundation
import TestPeers
import Testing

/// A port that was free a moment ago.
func freePort() throws -> UInt16 {
  let (descriptor, port) = try LoopbackSocket.listen()
  close(descriptor)
  return port
}

/// A program that serves on a port of loopback until the end of the test.
final class Daemon {
  private let process = Process()

  /// Ready when it accepts connections.
  init(_ command: [String], port: UInt16, log: String) throws {
    process.executableURL = URL(fileURLWithPath: command[0])
    process.arguments = Array(command.dropFirst())
    process.standardInput = FileHandle.nullDevice
    try Data().write(to: URL(fileURLWithPath: log))
    process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: log))
    process.standardError = process.standardOutput
    try process.run()
    let deadline = Date.now.addingTimeInterval(30)
    while !LoopbackSocket.accepts(port: port) {
      guard process.isRunning, Date.now < deadline else {
        throw PeerError("\(command[0]): " + (try String(contentsOfFile: log, encoding: .utf8)))
      }
      usleep(2000)
    }
  }

  deinit {
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    process.waitUntilExit()
  }
}

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

/// A certificate authority and a certificate for 127.0.0.1 and localhost, made by openssl.
struct TestAuthority {
  let authority: String
  let certificate: String
  let key: String

  init(in scratch: String) throws {
    authority = scratch + "/ca.pem"
    certificate = scratch + "/cert.pem"
    key = scratch + "/key.pem"
    let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    try Tool.run(
      ["openssl", "req", "-x509", "-days", "2", "-subj", "/CN=blockfarm test authority", "-keyout", scratch + "/ca.key", "-out", authority] + curve)
    try Tool.run(["openssl", "req", "-subj", "/CN=localhost", "-keyout", key, "-out", scratch + "/csr.pem"] + curve)
    try "subjectAltName=DNS:localhost,IP:127.0.0.1\n".write(toFile: scratch + "/ext", atomically: true, encoding: .utf8)
    try Tool.run([
      "openssl", "x509", "-req", "-days", "2", "-in", scratch + "/csr.pem", "-CA", authority, "-CAkey", scratch + "/ca.key", "-CAcreateserial",
      "-extfile",
      scratch + "/ext", "-out", certificate,
    ])
  }
}
