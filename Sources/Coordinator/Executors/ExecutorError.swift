import BuildModel
import Glibc

/// What can go wrong between the coordinator and a worker program. Every text names the host and says what to do.
package enum ExecutorError: BlamedError, Hashable {
  /// Down, refused, name not found, link lost or silent.
  case unreachable(host: String, reason: String)
  /// The host shows another key than the pinned one: nothing was sent to it.
  case hostKeyChanged(host: String, expected: HostKeyFingerprint, found: HostKeyFingerprint, type: String)
  /// The host offers only outdated algorithms. `mismatches`: for each purpose, what is offered and what is accepted. `addable`: what its
  /// file could name.
  case noCommonAlgorithms(host: String, mismatches: [String], addable: [String])
  case authenticationRefused(host: String, user: String, reason: String)
  /// The private key or the agent cannot be used at all.
  case identityUnusable(host: String, identity: String, reason: String)
  case protocolMismatch(host: String, found: Int, expected: Int)
  /// What answered is no worker: its first output and its standard error, both cut.
  case notAWorker(host: String, output: String, standardError: String)
  /// The worker program ended with an error of its own.
  case remote(host: String, command: String, exit: ProcessExit)
  case unknownAttempt(host: String, attempt: AttemptID)
  case timedOut(host: String, operation: String, seconds: Double)
  /// The worker sent something it must not send.
  case malformed(host: String, what: String)
  /// The worker binary is made for another kind of processor than the host's.
  case wrongMachine(host: String, binary: String, binaryMachine: String, hostMachine: String)
  /// The host's program is not the one that was installed: it was not run.
  case workerReplaced(host: String, binary: String, recorded: Digest, found: Digest)
  /// The host's program could not be compared with its recorded digest: it was not run.
  case workerUnverified(host: String, reason: String)
  /// A worker program cannot be run on this machine, or not be spoken with.
  case childProcess(host: String, reason: String)
  /// The coordinator's own system refused something.
  case local(operation: String, path: String, errno: Int32)

  package var blame: Blame {
    switch self {
    case .local, .childProcess: .coordinator
    case .identityUnusable: .request
    case .unreachable, .hostKeyChanged, .noCommonAlgorithms, .authenticationRefused, .protocolMismatch, .notAWorker, .remote, .unknownAttempt,
      .timedOut, .malformed, .wrongMachine, .workerReplaced, .workerUnverified:
      .host
    }
  }

  package var description: String {
    switch self {
    case .unreachable(let host, let reason):
      "host \(host) is not reachable: \(reason)"
    case .hostKeyChanged(let host, let expected, let found, let type):
      "host \(host) shows another host key: \(found) (\(type)), pinned is \(expected). If the host was reinstalled, compare the key with "
        + "'ssh-keygen -lf' on the host and add it again with 'worker remove' and 'worker add'; if not, somebody may be in between"
    case .noCommonAlgorithms(let host, let mismatches, let addable):
      "host \(host) offers only outdated SSH algorithms (\(mismatches.joined(separator: "; "))). "
        + (mismatches.contains { $0.hasPrefix("host key") } ? "Make an ed25519 host key there with 'ssh-keygen -A', " : "Update its sshd, ")
        + "or take the restriction out of its sshd_config"
        + (addable.isEmpty ? "" : ". Until then, 'sshAlgorithms: [\(addable.joined(separator: ", "))]' in the host's file allows what it has")
    case .authenticationRefused(let host, let user, let reason):
      "host \(host) refuses to log in '\(user)': \(reason). Put the public key into that account's ~/.ssh/authorized_keys"
    case .identityUnusable(let host, let identity, let reason):
      "cannot log in on host \(host) with \(identity): \(reason)"
    case .protocolMismatch(let host, let found, let expected):
      "the worker on host \(host) speaks protocol \(found), this blockfarm speaks \(expected): install this version's worker there with 'worker add'"
    case .notAWorker(let host, let output, let standardError):
      "what runs on host \(host) is no blockfarm-worker: it said '\(output)'\(standardError.isEmpty ? "" : ", error output '\(standardError)'")"
    case .remote(let host, let command, let exit):
      "'\(command)' on host \(host) \(exit.reason)\(exit.standardError.isEmpty ? "" : ": \(exit.standardError)")"
    case .unknownAttempt(let host, let attempt):
      "host \(host) does not know attempt \(attempt)"
    case .timedOut(let host, let operation, let seconds):
      "host \(host): \(operation) took more than \(Int(saturating: seconds)) s"
    case .malformed(let host, let what):
      "the worker on host \(host) sent something it must not: \(what)"
    case .wrongMachine(let host, let binary, let binaryMachine, let hostMachine):
      "\(binary) is made for \(binaryMachine), host \(host) is \(hostMachine): build the worker on such a host with "
        + "'swift build -c release --product blockfarm-worker -Xswiftc -static-executable' and name that file"
    case .workerReplaced(let host, let binary, let recorded, let found):
      "the worker on host \(host) is not the one that was installed: \(binary) has digest \(found), recorded is \(recorded). It was not run. "
        + "Find out who changed it; 'blockfarm worker remove \(host)' and 'worker add' install it again"
    case .workerUnverified(let host, let reason):
      "the worker on host \(host) cannot be compared with its recorded digest: 'sha256sum' there \(reason). Where the account has a forced command, "
        + "'forcedCommand: true' in the host's file leaves the comparison out"
    case .childProcess(let host, let reason): "host \(host): \(reason)"
    case .local(let operation, let path, let code):
      "\(operation)\(path.isEmpty ? "" : " \(path)"): \(String(cString: strerror(code)))"
    }
  }

  /// The link or the host failed: the same call may succeed later or elsewhere.
  package var isHostTrouble: Bool {
    switch self {
    case .unreachable, .timedOut: true
    default: false
    }
  }

  /// Somebody has to change a file, a key or an installation before this host can be used.
  package var needsConfiguration: Bool {
    switch self {
    case .hostKeyChanged, .noCommonAlgorithms, .authenticationRefused, .identityUnusable, .protocolMismatch, .notAWorker, .wrongMachine,
      .workerReplaced,
      .workerUnverified:
      true
    default: false
    }
  }
}
