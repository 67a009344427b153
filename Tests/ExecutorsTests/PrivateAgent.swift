import Foundation
import TestFiles
import TestPeers

@testable import Executors

/// A real ssh-agent with its own socket; it ends with the last reference.
final class PrivateAgent: Sendable {
  let scratch: ScratchDirectory
  let socket: String
  private let pid: pid_t

  init(keys: [String]) throws {
    scratch = try ScratchDirectory()
    socket = scratch.path + "/agent"
    // It puts itself into the background when it listens, and prints its pid.
    let words = try Tool.run(["ssh-agent", "-s", "-a", socket]).split { !$0.isNumber && !$0.isLetter && $0 != "_" }
    guard let index = words.firstIndex(of: "SSH_AGENT_PID"), let pid = pid_t(words[index + 1]) else { throw PeerError("ssh-agent") }
    self.pid = pid
    for key in keys { try Tool.run(["ssh-add", "-q", key], environment: ["SSH_AUTH_SOCK": socket]) }
  }

  deinit { kill(pid, SIGTERM) }
}
