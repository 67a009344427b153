import CanonicalJSON
import FoundationEssentials

/// What coordinator and worker say to each other over a worker verb's standard input and output.
///
/// Every answer begins with the marker line, so that whatever a login shell prints before it is skipped; after it come JSON documents,
/// one per line (`blob get` and `blob put` carry framed bytes, see `BlobFrame`).
package enum WorkerProtocol {
  /// Raised with every incompatible change of a message; both ends refuse any other number.
  package static let version = 2

  /// The first line of every answer: `BLOCKFARM-WORKER <version>`.
  package static let marker = "BLOCKFARM-WORKER \(version)"

  /// The version in a marker line; nil when the line is none.
  package static func version(inMarker line: some StringProtocol) -> Int? {
    let words = line.split(separator: " ")
    guard words.count == 2, words[0] == "BLOCKFARM-WORKER" else { return nil }
    return Int(words[1])
  }

  /// One message, or one entry of a journal, with its newline.
  package static func line(_ message: some Encodable) throws(JSONProblem) -> [UInt8] { try CanonicalJSON.line(message) }

  /// Reads a line, with or without its newline.
  package static func decode<Message: Decodable>(_ type: Message.Type, from line: some Sequence<UInt8>) throws(JSONProblem) -> Message {
    try CanonicalJSON.decode(type, from: line)
  }
}

/// The answer of `probe`: one JSON line.
package struct ProbeReport: Codable, Hashable, Sendable {
  package var version = 1
  /// sha256 of the worker binary that answered.
  package var binary: Digest
  /// `uname -m`.
  package var kernelMachine: String
  package var cores: Int
  package var memoryBytes: Int64
  package var freeDiskBytes: Int64
  package var clock: Timestamp
  package var loadAverage: Double
  /// What was found, sorted.
  package var features: [HostFeature]
  /// Why no sandbox can be started, and what to do; nil when one can, and from an earlier worker.
  package var sandboxObstacle: String?
  /// Whether the account reaches docker's socket, which is as good as being root; nil from an earlier worker.
  package var reachesDocker: Bool?
  /// Machines with warm sstate below the root.
  package var cachedMachines: [String]
  /// Mirrors of source repositories, by name.
  package var mirrors: [Digest]
  package var attempts: [AttemptState]

  package struct AttemptState: Codable, Hashable, Sendable {
    package enum State: String, Codable, Hashable, Sendable { case running, ended, lost }
    package var attempt: AttemptID
    package var state: State
    package init(attempt: AttemptID, state: State) {
      self.attempt = attempt
      self.state = state
    }
  }

  package init(
    binary: Digest, kernelMachine: String, cores: Int, memoryBytes: Int64, freeDiskBytes: Int64, clock: Timestamp,
    loadAverage: Double, features: [HostFeature], cachedMachines: [String], mirrors: [Digest], attempts: [AttemptState],
    sandboxObstacle: String? = nil, reachesDocker: Bool? = nil
  ) {
    self.sandboxObstacle = sandboxObstacle
    self.reachesDocker = reachesDocker
    self.binary = binary
    self.kernelMachine = kernelMachine
    self.cores = cores
    self.memoryBytes = memoryBytes
    self.freeDiskBytes = freeDiskBytes
    self.clock = clock
    self.loadAverage = loadAverage
    self.features = features
    self.cachedMachines = cachedMachines
    self.mirrors = mirrors
    self.attempts = attempts
  }
}

/// The answer of `start`.
package enum StartAnswer: Codable, Hashable, Sendable {
  /// The detached attempt runs (or ran already: repeating is harmless).
  case started
  /// These must be sent first; `have` are commits that the mirror already holds, for a thin bundle.
  case missing([MissingSource])
  /// These blobs that the spec names must be sent first.
  case missingBlobs([BlobDescriptor])
  /// The spec itself is refused.
  case refused(String)

  package struct MissingSource: Codable, Hashable, Sendable {
    package var mirror: Digest
    package var commit: CommitID
    package var have: [CommitID]
    package init(mirror: Digest, commit: CommitID, have: [CommitID]) {
      self.mirror = mirror
      self.commit = commit
      self.have = have
    }
  }
}

/// One line of `attach`.
package enum AttachLine: Codable, Hashable, Sendable {
  case event(WorkerEvent)
  /// A piece of the console log. Bytes that are no UTF-8 are replaced; offsets and `next` count raw bytes of the log file.
  case log(offset: Int64, next: Int64, text: String)
  /// Nothing happened for ten seconds.
  case heartbeat(Timestamp)
}

/// A numbered entry of an attempt's journal.
package struct WorkerEvent: Codable, Hashable, Sendable {
  /// From 1, without gaps.
  package var sequence: Int
  package var time: Timestamp
  package var kind: Kind

  package enum Kind: Codable, Hashable, Sendable {
    case stepStarted(Step)
    /// bitbake's own task count.
    case progress(step: Step, done: Int, total: Int)
    /// Something worth showing that is no failure.
    case notice(String)
    case stepEnded(StepResult)
    /// Always the last event.
    case outcome(Outcome)
  }
  package init(sequence: Int, time: Timestamp, kind: Kind) {
    self.sequence = sequence
    self.time = time
    self.kind = kind
  }
}

/// The answer of `acknowledge`.
package struct AcknowledgeAnswer: Codable, Hashable, Sendable {
  package var attempt: AttemptID
  package init(attempt: AttemptID) { self.attempt = attempt }
}

/// The answer of `cancel`.
package struct CancelAnswer: Codable, Hashable, Sendable {
  package var attempt: AttemptID
  /// False when the worker does not know the attempt.
  package var known: Bool
  /// Whether processes had to be ended.
  package var wasRunning: Bool
  package init(attempt: AttemptID, known: Bool, wasRunning: Bool) {
    self.attempt = attempt
    self.known = known
    self.wasRunning = wasRunning
  }
}
