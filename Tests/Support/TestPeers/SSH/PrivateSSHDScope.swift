/// Runs `body` with an sshd, and ends the sshd and all that was started over it afterwards.
package func withPrivateSSHD<Value>(_ settings: PrivateSSHD.Settings = .init(), _ body: (PrivateSSHD) throws -> Value) throws -> Value {
  let host = try PrivateSSHD(settings)
  defer { host.end() }
  return try body(host)
}

/// Runs `body` with an sshd, and ends the sshd and all that was started over it afterwards.
package func withPrivateSSHD<Value>(
  _ settings: PrivateSSHD.Settings = .init(), _ body: (PrivateSSHD) async throws -> Value
) async throws -> Value {
  let host = try await blocking { try PrivateSSHD(settings) }
  defer { host.end() }
  return try await body(host)
}
