import TestFiles

/// Runs `body` with the socket of a real ssh-agent that holds these keys, and ends the agent afterwards.
package func withPrivateAgent<Value>(keys: [String], _ body: (_ socket: String) async throws -> Value) async throws -> Value {
  try await withScratchDirectory { scratch in
    let socket = scratch + "/agent"
    return try await withChild(["ssh-agent", "-D", "-a", socket]) { agent in
      try agent.waitFor("SSH_AUTH_SOCK", on: .output, seconds: 10)
      for key in keys { try Tool.run(["ssh-add", "-q", key], environment: Tool.environment.merging(["SSH_AUTH_SOCK": socket]) { $1 }) }
      return try await body(socket)
    }
  }
}
