import CSSH2
import FoundationEssentials
import Glibc
import Processes

extension SSHSession {
  /// Logs in. The host key must have been compared before.
  func authenticate(_ destination: SSHDestination, until deadline: ContinuousClock.Instant) async throws {
    switch destination.identity {
    case .file(let path): try await authenticate(destination, keyFile: path, until: deadline)
    case .agent: try await authenticateByAgent(destination, until: deadline)
    }
    handle?.liftLoginBound()
    startWatchingLiveness()
  }

  private func authenticate(_ destination: SSHDestination, keyFile path: String, until deadline: ContinuousClock.Instant) async throws {
    let key: PrivateKeyFile
    do { key = try PrivateKeyFile(path: path) } catch {
      throw ExecutorError.identityUnusable(host: hostName, identity: path, reason: error.reason)
    }
    // From memory, because the file reader of libssh2 1.10 does not know ed25519 in PKCS#8.
    let user = destination.user
    do {
      try await call("log-in", until: deadline) { session in
        key.bytes.withUnsafeBytes { bytes in
          Int(
            libssh2_userauth_publickey_frommemory(
              session, user, user.utf8.count, nil, 0, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count, nil))
        }
      }
    } catch let failure as SSHFailure {
      let isKey = failure.code == LIBSSH2_ERROR_FILE || failure.code == LIBSSH2_ERROR_METHOD_NONE
      if isKey { throw ExecutorError.identityUnusable(host: hostName, identity: path, reason: failure.description) }
      throw ExecutorError.authenticationRefused(host: hostName, user: user, reason: "it does not accept the key \(path)")
    }
  }

  private func authenticateByAgent(_ destination: SSHDestination, until deadline: ContinuousClock.Instant) async throws {
    func unusable(_ reason: String) -> ExecutorError {
      .identityUnusable(host: hostName, identity: destination.identity.description, reason: reason)
    }
    guard let path = getenv("SSH_AUTH_SOCK").map({ String(cString: $0) }), !path.isEmpty else {
      throw unusable("no agent runs here (SSH_AUTH_SOCK is not set): start one, or name a key file with 'identity:'")
    }
    let agent = AgentClient(socketPath: path)
    do {
      let keys = try await agent.keys(until: deadline)
      // Five, because sshd's default MaxAuthTries is six.
      let usable = keys.filter { $0.type == "ssh-ed25519" || $0.type.hasPrefix("ecdsa-sha2-nistp") }.prefix(5)
      guard !usable.isEmpty else {
        if keys.isEmpty { throw unusable("it holds no key: 'ssh-add' one") }
        let types = Set(keys.map { OutputTail.printable($0.type.utf8) }).sorted().joined(separator: ", ")
        throw unusable(
          "it holds only keys of type \(types); libssh2 1.10 cannot use RSA keys: make an ed25519 key with 'ssh-keygen -t ed25519' and 'ssh-add' it")
      }
      for key in usable where try await accepts(destination.user, key, of: agent, until: deadline) { return }
      throw ExecutorError.authenticationRefused(
        host: hostName, user: destination.user, reason: "it accepts none of the \(usable.count) ed25519 and ECDSA keys in the agent")
    } catch let failure as AgentClient.Failure {
      throw unusable(failure.reason)
    }
  }

  /// One key's turn: libssh2 first asks whether the key would do, then wants a signature, which the agent makes off the loop.
  private func accepts(
    _ user: String, _ key: AgentClient.Key, of agent: AgentClient, until deadline: ContinuousClock.Instant
  ) async throws -> Bool {
    let wanted = WantedSignature()
    let needsSignature = 1
    while true {
      let answer: Int
      do {
        answer = try await call("log-in", until: deadline) { session in
          var context: UnsafeMutableRawPointer? = Unmanaged.passUnretained(wanted).toOpaque()
          let code = libssh2_userauth_publickey(session, user, key.blob, key.blob.count, signatureCallback, &context)
          return code == LIBSSH2_ERROR_EAGAIN && wanted.isUnanswered ? needsSignature : Int(code)
        }
      } catch is SSHFailure {
        return false
      }
      guard answer == needsSignature else { return true }
      wanted.signature = try await agent.sign(wanted.data ?? [], with: key, until: deadline)
    }
  }
}

/// What libssh2 wants signed, and the answer.
///
/// Unchecked, because both are plain variables. Safe, because only the loop's thread uses them, and only while the log-in call lasts.
private final class WantedSignature: @unchecked Sendable {
  var data: [UInt8]?
  var signature: [UInt8]?
  var isUnanswered: Bool { data != nil && signature == nil }
}

private let signatureCallback:
  @convention(c) (
    OpaquePointer?, UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?, UnsafeMutablePointer<Int>?, UnsafePointer<UInt8>?, Int,
    UnsafeMutablePointer<UnsafeMutableRawPointer?>?
  ) -> Int32 = { session, signature, length, data, count, context in
    guard let context = context?.pointee else { return LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED }
    let wanted = Unmanaged<WantedSignature>.fromOpaque(context).takeUnretainedValue()
    guard let made = wanted.signature else {
      wanted.data = Array(UnsafeBufferPointer(start: data, count: count))
      return LIBSSH2_ERROR_EAGAIN
    }
    // libssh2 frees it.
    guard let session, let copy = blockfarm_ssh2_memory(session, made.count) else { return LIBSSH2_ERROR_ALLOC }
    copy.copyMemory(from: made, byteCount: made.count)
    signature?.pointee = copy.assumingMemoryBound(to: UInt8.self)
    length?.pointee = made.count
    return 0
  }
