import BoundedConcurrency
// The socket constants: Swift finds them in the first C module that includes sys/socket.h.
import CSSH2
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
  private static let calls = HangingCalls(label: "blockfarm.agent", atOnce: 8)
  private static let answerLimit = 256 << 10

  /// The keys it holds, in its order.
  func keys(until deadline: ContinuousClock.Instant) async throws -> [Key] {
    var reader = SSHWireReader(try await ask([11], until: deadline))
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
  func sign(_ data: [UInt8], with key: Key, until deadline: ContinuousClock.Instant) async throws -> [UInt8] {
    let request = [13] + SSHWireReader.string(key.blob) + SSHWireReader.string(data) + SSHWireReader.uint32(0)
    var reader = SSHWireReader(try await ask(request, until: deadline))
    guard reader.byte() == 14, let signature = reader.string() else { throw Failure(reason: "it refused to sign") }
    var fields = SSHWireReader(signature)
    guard fields.string() != nil, let bare = fields.string() else { throw Failure(reason: "its signature is malformed") }
    return bare
  }

  private func ask(_ message: [UInt8], until deadline: ContinuousClock.Instant) async throws -> [UInt8] {
    let answer = try await Self.calls.run(until: deadline) { Result { try exchange(message, until: deadline) } }
    guard let answer else { throw Failure(reason: "it does not answer in time") }
    return try answer.get()
  }

  private func exchange(_ message: [UInt8], until deadline: ContinuousClock.Instant) throws -> [UInt8] {
    let descriptor = try connected(until: deadline)
    defer { close(descriptor) }
    var request = (SSHWireReader.string(message))[...]
    while !request.isEmpty {
      try limitWait(of: descriptor, until: deadline)
      let count = request.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      guard count > 0 else { throw Failure(reason: "it does not answer: \(String(cString: strerror(errno)))") }
      request = request.dropFirst(count)
    }
    var header = SSHWireReader(try receive(4, from: descriptor, until: deadline))
    guard let length = header.uint32(), length > 0, length <= Self.answerLimit else { throw Failure(reason: "its answer is malformed") }
    return try receive(Int(length), from: descriptor, until: deadline)
  }

  private func connected(until deadline: ContinuousClock.Instant) throws -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let path = Array(socketPath.utf8)
    guard path.count < MemoryLayout.size(ofValue: address.sun_path) else { throw Failure(reason: "the socket's path is too long") }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw Failure(reason: String(cString: strerror(errno))) }
    do { try limitWait(of: descriptor, until: deadline) } catch {
      close(descriptor)
      throw error
    }
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

  /// The next send or receive ends at the deadline, too, however slowly the agent answers.
  private func limitWait(of descriptor: Int32, until deadline: ContinuousClock.Instant) throws {
    let left = (deadline - ContinuousClock.now).inSeconds
    guard left > 0 else { throw Failure(reason: "it does not answer in time") }
    var wait = timeval(tv_sec: Int(min(left, 86400).rounded(.up)), tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
  }

  private func receive(_ count: Int, from descriptor: Int32, until deadline: ContinuousClock.Instant) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
      try limitWait(of: descriptor, until: deadline)
      let got = bytes.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress?.advanced(by: filled), count - filled, 0) }
      if got < 0, errno == EINTR { continue }
      guard got > 0 else { throw Failure(reason: got == 0 ? "it hung up" : "it does not answer: \(String(cString: strerror(errno)))") }
      filled += got
    }
    return bytes
  }
}
