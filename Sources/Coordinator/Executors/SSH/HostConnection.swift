import EventLoop
import FoundationEssentials

/// The sessions to one host: connects on first use, shares sessions among commands, connects again after a loss.
///
/// After a failed connect the next caller waits for 1, 2, 4 … 30 s before it tries again, so a plain retry loop is paced by this. A changed
/// host key is final: every later call throws it at once.
package actor HostConnection: WorkerTransport {
  package nonisolated let destination: SSHDestination
  package nonisolated var hostName: String { destination.name }
  private let loop: DescriptorLoop
  private let limits: ConnectionLimits

  private struct Line {
    let session: SSHSession
    var channels = 0
    var capacity: Int
    /// Whether a command ever ran on it.
    var isProven = false
  }
  private var lines: [ObjectIdentifier: Line] = [:]
  private var waiting: [UInt64: CheckedContinuation<Void, any Error>] = [:]
  private var lastID: UInt64 = 0
  private var isConnecting = false
  private var isClosed = false
  private var failures = 0
  private var nextAttempt = ContinuousClock.now
  private var finalError: ExecutorError?
  private var keyTypes = HostKeyTypes.any
  private var outdatedAlgorithms: [String] = []

  package init(destination: SSHDestination, loop: DescriptorLoop, limits: ConnectionLimits = ConnectionLimits()) {
    self.destination = destination
    self.loop = loop
    self.limits = limits
  }

  package nonisolated func withProcess<Value: Sendable>(
    _ command: RemoteCommand, limits: ProcessLimits, body: (any WorkerProcess) async throws -> Value
  ) async throws -> Value {
    let process = try await start(command, limits)
    do {
      let value = try await body(process)
      await finish(process)
      return value
    } catch {
      await finish(process)
      throw error
    }
  }

  /// Ends all sessions; the connection cannot be used afterwards.
  package func disconnect() async {
    isClosed = true
    let ended = lines.values.map(\.session)
    lines = [:]
    for session in ended { await session.close() }
    wakeAll(throwing: closedError)
  }

  /// What is weak about the newest session, or about what the host's file allows; nil when there is nothing to say. To be asked when a call has succeeded.
  package var algorithmWarning: String? {
    if !outdatedAlgorithms.isEmpty {
      return "its SSH connection uses outdated algorithms, which its file allows: \(outdatedAlgorithms.joined(separator: ", ")). Update its sshd"
    }
    let allowed = destination.algorithms.added
    if allowed.isEmpty { return nil }
    return "its file allows outdated SSH algorithms that the host does not need: take 'sshAlgorithms: [\(allowed.joined(separator: ", "))]' out"
  }

  private var closedError: ExecutorError { .unreachable(host: hostName, reason: "the coordinator has closed the connection") }

  private func start(_ command: RemoteCommand, _ limits: ProcessLimits) async throws -> SSHProcess {
    while true {
      let session = try await lease()
      let key = ObjectIdentifier(session)
      do {
        let channel = try await session.execute(command)
        lines[key]?.isProven = true
        return SSHProcess(session: session, channel: channel, deadline: ProcessDeadline(limits))
      } catch is SSHSession.TooManyChannels {
        let running = (lines[key]?.channels ?? 1) - 1
        if running > 0 {
          // What runs on it now is what the host allows; another session has room.
          lines[key]?.capacity = running
          await giveBack(session)
        } else {
          // What was given up on it has not ended there yet and holds its place: another session does not know of it.
          let isMeant = lines.removeValue(forKey: key)?.isProven == false
          await session.close()
          wakeAll()
          if isMeant { throw ExecutorError.unreachable(host: hostName, reason: "it lets this account run no command (MaxSessions of its sshd)") }
        }
      } catch {
        await giveBack(session)
        throw error
      }
    }
  }

  /// How many commands at once the host allows on one session, as far as `wanted`. Asked on a session of its own, which ends with it.
  package func commandsAtOnce(upTo wanted: Int) async throws -> Int {
    if isClosed { throw closedError }
    let session = try await connected()
    do {
      let count = try await session.openChannels(upTo: wanted)
      await session.close()
      return count
    } catch {
      await session.close()
      throw error
    }
  }

  /// Sessions to one host at the same time.
  package nonisolated var sessionLimit: Int { limits.sessions }

  private func finish(_ process: SSHProcess) async {
    await process.session.closeChannel(process.channel)
    await giveBack(process.session)
  }

  // MARK: Sessions

  private func lease() async throws -> SSHSession {
    while true {
      try Task.checkCancellation()
      if isClosed { throw closedError }
      if let finalError { throw finalError }
      for (key, line) in lines where line.channels < line.capacity {
        lines[key]?.channels += 1
        if await line.session.isUsable { return line.session }
        await giveBack(line.session)
        break
      }
      if lines.values.contains(where: { $0.channels < $0.capacity }) { continue }
      if lines.count < limits.sessions, !isConnecting {
        isConnecting = true
        // Outlives the caller that asked first: others wait for the same session, and its cancellation is not theirs.
        Task { await self.addSession() }
      }
      try await waitForChange()
    }
  }

  private func giveBack(_ session: SSHSession) async {
    let key = ObjectIdentifier(session)
    lines[key]?.channels -= 1
    if await !session.isUsable, lines.removeValue(forKey: key) != nil { await session.close() }
    wakeAll()
  }

  private func addSession() async {
    do {
      if ContinuousClock.now < nextAttempt { try await Task.sleep(until: nextAttempt) }
      let session = try await connected()
      failures = 0
      isConnecting = false
      if isClosed {
        await session.close()
      } else {
        lines[ObjectIdentifier(session)] = Line(session: session, capacity: limits.channelsPerSession)
      }
      wakeAll()
    } catch {
      isConnecting = false
      let backoff = min(limits.longestBackoff, limits.firstBackoff * (1 << min(failures, 10)))
      failures += 1
      nextAttempt = .now + backoff
      if let error = error as? ExecutorError, case .hostKeyChanged = error { finalError = error }
      // Who waits while other sessions work may still get a place on one of them.
      if lines.isEmpty || finalError != nil { wakeAll(throwing: error) } else { wakeAll() }
    }
  }

  /// A session that is logged in. A host shows one key only, so a pinned key of another type than the preferred one needs a second look.
  private func connected() async throws -> SSHSession {
    let deadline = ContinuousClock.now + limits.connect
    var firstFound: ScannedHostKey?
    for types in keyTypes == .any ? [HostKeyTypes.any, .ecdsa] : [.ecdsa, .any] {
      let session = SSHSession(loop: loop, hostName: hostName, limits: limits, algorithms: destination.algorithms)
      do {
        let found = try await session.connect(host: destination.host, port: destination.port, keyTypes: types, until: deadline)
        if found.fingerprint == destination.hostKey {
          try await session.authenticate(destination, until: deadline)
          keyTypes = types
          outdatedAlgorithms = await session.outdatedAlgorithms
          return session
        }
        firstFound = firstFound ?? found
        await session.close()
      } catch {
        await session.close()
        // The host may have no key of the second type at all; what it showed first is the answer then.
        if firstFound == nil { throw error }
      }
    }
    guard let found = firstFound else { throw closedError }
    throw ExecutorError.hostKeyChanged(host: hostName, expected: destination.hostKey, found: found.fingerprint, type: found.type)
  }

  // MARK: Waiting

  private func waitForChange() async throws {
    lastID += 1
    let id = lastID
    try await withTaskCancellationHandler {
      try await suspend(id)
    } onCancel: {
      // Cancellation handlers are synchronous; the actor is not.
      Task { await self.cancel(id) }
    }
  }

  private func suspend(_ id: UInt64) async throws {
    try Task.checkCancellation()
    try await withCheckedThrowingContinuation { waiting[id] = $0 }
  }

  private func cancel(_ id: UInt64) { waiting.removeValue(forKey: id)?.resume(throwing: CancellationError()) }

  private func wakeAll(throwing error: (any Error)? = nil) {
    let woken = waiting.values
    waiting = [:]
    for continuation in woken {
      if let error { continuation.resume(throwing: error) } else { continuation.resume() }
    }
  }
}
