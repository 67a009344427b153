import EventLoop

/// Asks a host for its key without logging in, for `worker add`. ed25519 is preferred, then ECDSA.
package func scanHostKey(host: String, port: UInt16, loop: DescriptorLoop, limit: Duration = .seconds(15)) async throws -> ScannedHostKey {
  let session = SSHSession(loop: loop, hostName: "\(host):\(port)")
  do {
    let key = try await session.connect(host: host, port: port, keyTypes: .any, until: .now + limit)
    await session.close()
    return key
  } catch {
    await session.close()
    throw error
  }
}
