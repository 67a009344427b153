import BuildModel
import CanonicalJSON
import Containers
import FoundationEssentials
import Glibc
import Processes
import Yocto

/// What an attempt is at right now.
package enum AttemptStatus: Sendable {
  case unknown
  case running
  case ended(Outcome)
}

extension AttemptDirectory {
  /// The processes that belong to the attempt.
  package var processes: ProcessTree { ProcessTree(mark: "\(Self.mark)=\(id)", directories: directories) }

  /// Finds out how the attempt is. Where its runner is gone without an outcome, the outcome `lost` is written here; where the
  /// last event is missing, it is added; on a disk without any space both wait for a later call. Harmless to repeat, also by several processes at once.
  package func settle() throws -> AttemptStatus {
    guard isKnown else { return .unknown }
    guard let lock = try AttemptLock.acquire(lockPath) else {
      if let outcome = try outcome() { return .ended(outcome) }
      return .running
    }
    return try withExtendedLifetime(lock) {
      do {
        return .ended(try end(with: lostFailure))
      } catch let error as AttemptError where error.isOutOfSpace {
        let failure = Failure(kind: lostFailure.kind, step: nil, reason: "\(lostFailure.reason), and the host's disk is full: \(error)")
        return .ended(
          try outcome()
            ?? Outcome(
              attempt: id, failure: failure, steps: [], blocks: [], artifacts: [], startedAt: .now, endedAt: .now, packageArchitectures: []))
      }
    }
  }

  /// Gives the attempt its end unless it has one. The caller holds the lock.
  ///
  /// Order: leftover processes ended, outcome durable, then the last event.
  package func end(with failure: @autoclosure () -> Failure) throws -> Outcome {
    let journal = try Journal(path: journalPath)
    var reader = JournalReader(path: journalPath)
    let events = try reader.read()
    let outcome: Outcome
    if let there = try self.outcome() {
      outcome = there
    } else {
      _ = processes.end(of: nil, grace: 2)
      cleanUp()
      outcome = Outcome(
        attempt: id, failure: failure(), steps: events.compactMap(\.finishedStep), blocks: [], artifacts: [],
        startedAt: events.first?.time ?? .now, endedAt: .now, packageArchitectures: [])
    }
    try keep(outcome, in: journal, isNoted: { if case .outcome? = events.last?.kind { true } else { false } }())
    return outcome
  }

  /// Writes the outcome, then its event. On a full disk the attempt's own work makes room first.
  func keep(_ outcome: Outcome, in journal: Journal, isNoted: Bool = false, slot: WorkSlot? = nil) throws {
    func write() throws {
      if access(outcomePath, F_OK) != 0 {
        try DurableFile.write(try CanonicalJSON.line(outcome), to: outcomePath)
      }
      if !isNoted { try journal.append(.outcome(outcome), durable: true) }
    }
    do {
      try write()
    } catch let error as AttemptError where error.isOutOfSpace {
      guard removeWork(in: slot, withCheckout: true) > 0 else { throw error }
      try write()
    }
  }

  /// Removes what a runner that is gone left in container daemons and in builders' storages. That it fails hides no outcome.
  private func cleanUp() {
    guard let spec = try? spec() else { return }
    let environment = BuildEnvironment.make(inherited: ProcessInfo.processInfo.environment, mark: [:], secrets: [:])
    let hasDockerfiles = spec.blocks.contains { if case .dockerfile = $0.origin { true } else { false } }
    if hasDockerfiles || spec.driver.features.contains(.docker) {
      _ = try? AttemptContainers(attempt: id.description, directories: directories, environment: environment)?.remove()
    }
    if hasDockerfiles { try? ImageStorage.remove([scratchPath], environment: environment) }
  }

  private var lostFailure: Failure {
    let holder = LockHolder(lockFile: lockPath)
    let cause =
      switch holder {
      case nil: "before its runner was started"
      case let holder? where holder.bootID != LockHolder.currentBootID: "when the host was restarted"
      case let holder?: "when its runner (process \(holder.pid)) was killed or crashed"
      }
    return Failure(kind: .lost, step: nil, reason: "the attempt was lost \(cause)")
  }
}

extension WorkerEvent {
  var finishedStep: StepResult? {
    if case .stepEnded(let result) = kind { result } else { nil }
  }
}
