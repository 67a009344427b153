import CSSH2
import EventLoop
import Glibc
import Processes

/// Which host key a host is asked for; a host shows only one.
enum HostKeyTypes: CaseIterable {
  /// ed25519 if the host has one, else ECDSA.
  case any
  /// For a pinned ECDSA key on a host that has both.
  case ecdsa

  func isWanted(_ name: String) -> Bool { self == .any || name != "ssh-ed25519" }
}

extension SSHSession {
  /// Connects and exchanges keys; nothing of ours is sent that the host could misuse. Returns the key that the host proved to have.
  func connect(host: String, port: UInt16, keyTypes: HostKeyTypes, until deadline: ContinuousClock.Instant) async throws -> ScannedHostKey {
    let addresses = try await NameResolution.addresses(of: host, port: port, hostName: hostName, until: deadline)
    let descriptor = try await open(addresses, until: deadline)
    guard let handle = SSHHandle(descriptor: descriptor) else {
      throw ExecutorError.local(operation: "start an SSH session", path: "", errno: ENOMEM)
    }
    self.handle = handle
    try prefer(keyTypes, handle)
    do {
      try await call("SSH handshake", until: deadline) { Int(libssh2_session_handshake($0, descriptor)) }
    } catch {
      let mismatches = AlgorithmOffer(opening: handle.takeOpening())?.mismatches(with: algorithms) ?? []
      guard mismatches.isEmpty else {
        throw ExecutorError.noCommonAlgorithms(
          host: hostName, mismatches: mismatches.map(\.description), addable: mismatches.compactMap(\.addable))
      }
      throw error
    }
    _ = handle.takeOpening()
    var length = 0
    var type: Int32 = 0
    guard let key = libssh2_session_hostkey(handle.session, &length, &type), length > 0 else {
      throw ExecutorError.unreachable(host: hostName, reason: "it showed no host key")
    }
    let blob = UnsafeRawBufferPointer(start: key, count: length)
    var reader = SSHWireReader(blob)
    return ScannedHostKey(fingerprint: HostKeyFingerprint(keyBlob: Array(blob)), type: OutputTail.printable((reader.string() ?? []).prefix(64)))
  }

  private func prefer(_ keyTypes: HostKeyTypes, _ handle: SSHHandle) throws {
    for purpose in SSHAlgorithms.Purpose.allCases {
      let names = algorithms.accepted(purpose).filter { purpose != .hostKey || keyTypes.isWanted($0) }
      for method in SSHAlgorithms.methods(purpose) where libssh2_session_method_pref(handle.session, method, names.joined(separator: ",")) != 0 {
        throw ExecutorError.local(operation: "choose SSH algorithms", path: "(\(purpose))", errno: EINVAL)
      }
    }
  }

  /// The algorithms in use that are not current ones, in the order of their purposes.
  var outdatedAlgorithms: [String] {
    guard isUsable, let handle else { return [] }
    var names: [String] = []
    for method in SSHAlgorithms.Purpose.allCases.flatMap(SSHAlgorithms.methods) {
      guard let name = libssh2_session_methods(handle.session, method).map({ String(cString: $0) }) else { continue }
      if SSHAlgorithms.addable.contains(name), !names.contains(name) { names.append(name) }
    }
    return names
  }

  /// The first address that accepts; each gets a fair share of the time that is left.
  private func open(_ addresses: [SocketAddress], until deadline: ContinuousClock.Instant) async throws -> Int32 {
    var reasons: [String] = []
    for (index, address) in addresses.enumerated() {
      let share = (deadline - ContinuousClock.now) / (addresses.count - index)
      do {
        return try await open(address, until: .now + max(share, .zero))
      } catch let error as ConnectFailure {
        reasons.append("\(address.text): \(error.reason)")
      }
    }
    throw ExecutorError.unreachable(host: hostName, reason: reasons.joined(separator: "; "))
  }

  private struct ConnectFailure: Error { let reason: String }

  private func open(_ address: SocketAddress, until deadline: ContinuousClock.Instant) async throws -> Int32 {
    let flags = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let descriptor = socket(address.family, flags, 0)
    guard descriptor >= 0 else { throw ConnectFailure(reason: String(cString: strerror(errno))) }
    do {
      var on: Int32 = 1
      setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, 4)
      if address.connect(descriptor) != 0 {
        guard errno == EINPROGRESS else { throw ConnectFailure(reason: String(cString: strerror(errno))) }
        try await waitForConnection(descriptor, until: deadline)
        var code: Int32 = 0
        var length = socklen_t(4)
        getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length)
        guard code == 0 else { throw ConnectFailure(reason: String(cString: strerror(code))) }
      }
      return descriptor
    } catch {
      Glibc.close(descriptor)
      throw error
    }
  }

  private func waitForConnection(_ descriptor: Int32, until deadline: ContinuousClock.Instant) async throws {
    let events = await withCheckedContinuation { continuation in
      loop.watch(descriptor, for: .writable, until: deadline) { continuation.resume(returning: $0) }
    }
    if events.isEmpty { throw ConnectFailure(reason: "no answer") }
  }
}
