import BuildModel

/// Who asked for something that changes the farm or leaves it, when and from where. One line of the audit log.
package struct AuditEntry: Codable, Hashable, Sendable {
  package enum Action: String, Codable, Hashable, Sendable, CaseIterable {
    case build
    /// A build that goes on with an unfinished request.
    case resume
    case cancel
    case publish
    case addWorker = "worker-add"
    case removeWorker = "worker-remove"
    case drainWorker = "worker-drain"
    case resumeWorker = "worker-resume"
    case collectGarbage = "worker-gc"
  }

  /// Always 1.
  package var version = 1
  /// From 1, without gaps.
  package var number: Int
  package var time: Timestamp
  /// The account of the process, and its numeric id.
  package var account: String
  package var userID: UInt32
  /// From where: the address of an SSH session, the URL of a Jenkins build, or nil for this machine itself. Taken from the process's environment,
  /// which whoever asks can set: it helps to understand, and proves nothing.
  package var origin: String?
  package var action: Action
  package var request: RequestID?
  /// Device types, hosts, or other things that are acted on.
  package var subjects: [String]
  /// The digest of the entry before; nil in the first one.
  package var previous: Digest?
}

/// What is asked for, before it has its place in the log.
package struct AuditedAction: Hashable, Sendable {
  package var action: AuditEntry.Action
  package var request: RequestID?
  package var subjects: [String]

  package init(_ action: AuditEntry.Action, request: RequestID? = nil, subjects: [String] = []) {
    self.action = action
    self.request = request
    self.subjects = subjects
  }
}
