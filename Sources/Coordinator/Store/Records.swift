import BuildModel
import FoundationEssentials
import GRDB

/// A request as the database keeps it.
package struct RequestRecord: Sendable, Hashable {
  package enum State: String, Sendable { case running, ended }
  package var id: RequestID
  package var createdAt: Timestamp
  package var endedAt: Timestamp?
  /// Digest of everything that was planned: an unfinished request with the same one is the same work.
  package var planDigest: Digest
  package var state: State
  package var cancelRequested: Bool
  /// Absolute path of the deploy tree.
  package var output: String
  /// What was asked for and could not be read when it was planned.
  package var problems: [String]

  package init(id: RequestID, createdAt: Timestamp, planDigest: Digest, output: String, problems: [String] = []) {
    self.problems = problems
    self.id = id
    self.createdAt = createdAt
    endedAt = nil
    self.planDigest = planDigest
    state = .running
    cancelRequested = false
    self.output = output
  }
}

/// A device type's share of a request.
package struct TaskRecord: Sendable, Hashable {
  package enum State: String, Sendable { case waiting, running, ended }
  package var request: RequestID
  package var slug: Slug
  package var machine: Machine
  package var arch: Architecture
  package var state: State
  /// JSON of the planned task; empty where it ended before it had a plan.
  package var planned: [UInt8]
  /// JSON: for each host why it cannot take the task now.
  package var waiting: [UInt8]
  /// JSON of the task's end; nil while it has none.
  package var record: [UInt8]?

  package init(
    request: RequestID, slug: Slug, machine: Machine, arch: Architecture, state: State, planned: [UInt8],
    waiting: [UInt8] = Array("[]".utf8), record: [UInt8]? = nil
  ) {
    self.request = request
    self.slug = slug
    self.machine = machine
    self.arch = arch
    self.state = state
    self.planned = planned
    self.waiting = waiting
    self.record = record
  }
}

/// One execution of a task on a host.
package struct AttemptRecord: Sendable, Hashable {
  package enum State: String, Sendable {
    /// Recorded before the worker hears of it, so that a killed coordinator asks for it again.
    case dispatching
    case running
    /// It has its outcome.
    case ended
    case cancelling
    /// Given up; a late outcome is superseded.
    case abandoned
    case superseded
  }
  package var id: AttemptID
  package var host: HostName
  package var spec: TaskSpec
  package var state: State
  package var startedAt: Timestamp
  package var endedAt: Timestamp?
  package var lastEvent: Int
  package var logOffset: Int64
  package var outcome: Outcome?

  package init(id: AttemptID, host: HostName, spec: TaskSpec, startedAt: Timestamp) {
    self.id = id
    self.host = host
    self.spec = spec
    state = .dispatching
    self.startedAt = startedAt
    endedAt = nil
    lastEvent = 0
    logOffset = 0
    outcome = nil
  }
}
