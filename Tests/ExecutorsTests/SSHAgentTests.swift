import Foundation
import TestPeers
import Testing

@testable import Executors

/// One at a time: the agent's socket is found in the environment.
@Suite(.serialized) struct SSHAgentTests {
  private func login(_ host: PrivateSSHD, agent: String?) async throws -> Exchange {
    if let agent { setenv("SSH_AUTH_SOCK", agent, 1) } else { unsetenv("SSH_AUTH_SOCK") }
    let destination = try host.destination(identity: .agent)
    return try await HostConnection(destination: destination, loop: try testLoop()).shell("echo hello")
  }

  @Test(arguments: ["ed25519", "ecdsa"])
  func logsInByTheAgentWhoseSecondKeyFits(type: String) async throws {
    let host = try PrivateSSHD()
    try PrivateSSHD.makeKey("rsa", type: "rsa", in: host.scratch)
    try PrivateSSHD.makeKey("stranger", in: host.scratch)
    try PrivateSSHD.makeKey("known", type: type, in: host.scratch)
    try Tool.run(["cp", host.scratch.path + "/known.pub", host.scratch.path + "/authorized"])
    let agent = try PrivateAgent(keys: ["rsa", "stranger", "known"].map { host.scratch.path + "/" + $0 })
    #expect(try await login(host, agent: agent.socket).text == "hello\n")
  }

  @Test func tellsAnAgentThatHasOnlyRSAKeys() async throws {
    let host = try PrivateSSHD()
    try PrivateSSHD.makeKey("rsa", type: "rsa", in: host.scratch)
    let agent = try PrivateAgent(keys: [host.scratch.path + "/rsa"])
    let error = await failure { try await login(host, agent: agent.socket) }
    #expect("\(try #require(error))".contains("libssh2 1.10 cannot use RSA keys"))
  }

  @Test func tellsAnAgentWhoseKeysAreRefused() async throws {
    let host = try PrivateSSHD()
    try PrivateSSHD.makeKey("stranger", in: host.scratch)
    let agent = try PrivateAgent(keys: [host.scratch.path + "/stranger"])
    guard case .authenticationRefused = await failure(of: { try await login(host, agent: agent.socket) }) as? ExecutorError else {
      Issue.record("not refused")
      return
    }
  }

  @Test func tellsWhatIsWrongWithTheAgent() async throws {
    let host = try PrivateSSHD()
    let empty = try PrivateAgent(keys: [])
    let expected = [(empty.socket as String?, "it holds no key"), (host.scratch.path + "/none", "no agent listens"), (nil, "SSH_AUTH_SOCK")]
    for (agent, text) in expected {
      let error = await failure { try await login(host, agent: agent) }
      #expect("\(try #require(error))".contains(text))
    }
  }
}
