// The socket constants: Swift finds them in the first C module that includes sys/socket.h.
import CSSH2
import Dispatch
import FoundationEssentials
import Glibc

/// The SSH agent at `$SSH_AUTH_SOCK` (protocol: draft-miller-ssh-agent, sections 4.4 and 4.5).
///
/// libssh2 has an agent client too, but one that blocks, and an agent may ask its user before it signs.
struct AgentClient: Sendable {
  struct Key: Sendable {
    let blob: [UInt8]
    /// For example `ssh-ed25519`.
    let type: String
  }
  struct Failure: Error { let reason: String }

  let socketPath: String
  private static let queue = DispatchQueue(label: "blockfarm.agent", attributes: .concurrent)
  private static let answerLimit = 256 << 10

  /// The keys it holds, in its order.
  func keys(limit: Duration) async throws -> [Key] {
    var reader = SSHWireReader(try await ask([11], limit: limit))
    guard reader.byte() == 12, let count = reader.uint32(), count <= 1000 else { throw Failure(reason: "it does not list its keys") }
    var keys: [Key] = []
    for _ in 0..<count {
      guard let blob = reader.string(), reader.string() != nil else { throw Failure(reason: "its list of keys is cut short") }
      var fields = SSHWireReader(blob)
      keys.append(Key(blob: blob, type: String(decoding: fields.string() ?? [], as: UTF8.self)))
    }
    return keys
  }

  /// The bare signature, without the name of its algorithm.
  func sign(_ data: [UInt8], with key: Key, limit: Duration) async throws -> [UInt8] {
    let request = [13] + SSHWireReader.string(key.blob) + SSHWireReader.string(data) + SSHWireReader.uint32(0)
    var reader = SSHWireReader(try await ask(request, limit: limit))
    guard reader.byte() == 14, let signature = reader.string() else { throw Failure(reason: "it refused to sign") }
    var fields = SSHWireReader(signature)
    guard fields.string() != nil, let bare = fields.string() else { throw Failure(reason: "its signature is malformed") }
    return bare
  }

  private func ask(_ message: [UInt8], limit: Duration) async throws -> [UInt8] {
    try await withCheckedThrowingContinuation { continuation in
      Self.queue.async { continuation.resume(with: Result { try exchange(message, limit: limit) }) }
    }
  }

  private func exchange(_ message: [UInt8], limit: Duration) throws -> [UInt8] {
    let descriptor = try connected(limit: limit)
    defer { close(descriptor) }
    var request = (SSHWireReader.string(message))[...]
    while !request.isEmpty {
      let count = request.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      guard count > 0 else { throw Failure(reason: "it does not answer: \(String(cString: strerror(errno)))") }
      request = request.dropFirst(count)
    }
    var header = SSHWireReader(try receive(4, from: descriptor))
    guard let length = header.uint32(), length > 0, length <= Self.answerLimit else { throw Failure(reason: "its answer is malformed") }
    return try receive(Int(length), from: descriptor)
  }

  private func connected(limit: Duration) throws -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let path = Array(socketPath.utf8)
    guard path.count < MemoryLayout.size(ofValue: address.sun_path) else { throw Failure(reason: "the socket's path is too long") }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw Failure(reason: String(cString: strerror(errno))) }
    var wait = timeval(tv_sec: max(1, Int(limit.inSeconds.rounded(.up))), tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
    let code = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
    }
    guard code == 0 else {
      let cause = errno
      close(descriptor)
      throw Failure(reason: "no agent listens at \(socketPath): \(String(cString: strerror(cause)))")
    }
    return descriptor
  }

  private func receive(_ count: Int, from descriptor: Int32) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
      let got = bytes.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress?.advanced(by: filled), count - filled, 0) }
      if got < 0, errno == EINTR { continue }
      guard got > 0 else { throw Failure(reason: got == 0 ? "it hung up" : "it does not answer: \(String(cString: strerror(errno)))") }
      filled += got
    }
    return bytes
  }
}
