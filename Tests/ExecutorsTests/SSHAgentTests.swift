import Foundation
import TestFiles
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
    try await withPrivateSSHD { host in
      try host.makeKey("rsa", type: "rsa")
      try host.makeKey("stranger")
      try host.makeKey("known", type: type)
      try host.authorize(host.directory + "/known.pub")
      try await withPrivateAgent(keys: ["rsa", "stranger", "known"].map { host.directory + "/" + $0 }) { agent async throws in
        #expect(try await login(host, agent: agent).text == "hello\n")
      }
    }
  }

  @Test func tellsAnAgentThatHasOnlyRSAKeys() async throws {
    try await withPrivateSSHD { host in
      try host.makeKey("rsa", type: "rsa")
      try await withPrivateAgent(keys: [host.directory + "/rsa"]) { agent async throws in
        let error = await failure { try await login(host, agent: agent) }
        #expect("\(try #require(error))".contains("libssh2 1.10 cannot use RSA keys"))
      }
    }
  }

  @Test func tellsAnAgentWhoseKeysAreRefused() async throws {
    try await withPrivateSSHD { host in
      try host.makeKey("stranger")
      try await withPrivateAgent(keys: [host.directory + "/stranger"]) { agent async throws in
        guard case .authenticationRefused = await failure(of: { try await login(host, agent: agent) }) as? ExecutorError else {
          Issue.record("not refused")
          return
        }
      }
    }
  }

  @Test func tellsWhatIsWrongWithTheAgent() async throws {
    try await withPrivateSSHD { host in
      try await withPrivateAgent(keys: []) { empty async throws in
        let expected = [(empty as String?, "it holds no key"), (host.directory + "/none", "no agent listens"), (nil, "SSH_AUTH_SOCK")]
        for (agent, text) in expected {
          let error = await failure { try await login(host, agent: agent) }
          #expect("\(try #require(error))".contains(text))
        }
      }
    }
  }

  /// An agent that answers a byte at a time, and one that does not answer at all: the limit is that of the whole answer.
  @Test(arguments: ["while True: client.sendall(b'\\0\\0\\1\\0' if first else b'x'); first = False; time.sleep(0.05)", "time.sleep(3600)"])
  func leavesASlowAgentBehind(answer: String) async throws {
    try await withScratchDirectory { scratch async throws in
      let program = """
        import socket, sys, time
        listener = socket.socket(socket.AF_UNIX); listener.bind(sys.argv[1]); listener.listen(); print("ready", flush=True)
        client, _ = listener.accept(); first = True
        \(answer)
        """
      try await withChild(["python3", "-c", program, scratch + "/agent"]) { agent async throws in
        try agent.waitFor("ready", on: .output, seconds: 20)
        let began = ContinuousClock.now
        let error = await failure { try await AgentClient(socketPath: scratch + "/agent").keys(until: .now + .milliseconds(500)) }
        #expect((error as? AgentClient.Failure)?.reason == "it does not answer in time")
        #expect(ContinuousClock.now - began < .seconds(5))
      }
    }
  }
}
