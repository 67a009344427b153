import CSSH2
import EventLoop
import FoundationEssentials
import Glibc

/// One SSH connection. All of it runs on the loop's thread; libssh2 never blocks there, and reads a bounded amount in a turn (``SSHFlowBounds``).
///
/// libssh2 keeps one half-sent packet for each session, and that packet must be finished by the very call that began it. So calls
/// take turns (``call``); only a call that merely waits for the peer lets others go ahead.
actor SSHSession {
  nonisolated let loop: DescriptorLoop
  nonisolated let hostName: String
  nonisolated let limits: ConnectionLimits
  nonisolated let algorithms: SSHAlgorithms
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.unownedExecutor }

  var handle: SSHHandle?
  /// Why the session can no longer be used.
  private(set) var failure: (any Error)?
  var channels: [UInt64: SSHChannel] = [:]
  /// Channels whose closing the host has not confirmed yet.
  var givenUp: [OpaquePointer] = []
  var liveness: Task<Void, Never>?

  private var waiters: [UInt64: Waiter] = [:]
  private var lastID: UInt64 = 0
  private var isTaken = false
  private var queue: [CheckedContinuation<Void, Never>] = []
  private var peerHungUp = false

  private struct Waiter {
    let events: DescriptorEvents
    let deadline: ContinuousClock.Instant
    let continuation: CheckedContinuation<Void, any Error>
  }
  /// A wait that was over before anything came.
  private struct DeadlinePassed: Error {}

  init(
    loop: DescriptorLoop, hostName: String, limits: ConnectionLimits = ConnectionLimits(), algorithms: SSHAlgorithms = SSHAlgorithms()
  ) {
    self.loop = loop
    self.hostName = hostName
    self.limits = limits
    self.algorithms = algorithms
  }

  var isUsable: Bool { handle != nil && failure == nil }
  var isTakenByCall: Bool { isTaken }

  func makeID() -> UInt64 {
    lastID += 1
    return lastID
  }

  // MARK: Turns

  private func takeTurn() async {
    guard isTaken else {
      isTaken = true
      return
    }
    await withCheckedContinuation { queue.append($0) }
  }

  private func passTurn() {
    if queue.isEmpty { isTaken = false } else { queue.removeFirst().resume() }
  }

  /// Repeats one libssh2 call until it is done. `body` returns what libssh2 returned; it runs again with the same arguments after each wait.
  ///
  /// A `yielding` call (reading, writing, closing a channel) lets others go ahead and may be given up while it only waits for the peer. Any other
  /// one that is not done in time leaves the protocol in the middle of a message, so the session ends with it.
  @discardableResult
  func call(
    _ operation: String, until deadline: ContinuousClock.Instant, yielding: Bool = false, cancellable: Bool = true,
    _ body: (OpaquePointer) -> Int
  ) async throws -> Int {
    let began = ContinuousClock.now
    await takeTurn()
    if ContinuousClock.now >= deadline {
      // The peer is never quiet: waiting alone would not notice. Nothing has begun, so the session may go on.
      passTurn()
      throw timeout(operation, since: began, from: DeadlinePassed())
    }
    while true {
      guard failure == nil, let handle else {
        passTurn()
        throw failure ?? ExecutorError.unreachable(host: hostName, reason: "the session is closed")
      }
      if yielding, cancellable, Task.isCancelled {
        passTurn()
        throw CancellationError()
      }
      let before = handle.received
      handle.begin(turn: loop.turn)
      let result = body(handle.session)
      // Packets for other channels may have come in with ours: the socket will not say so again.
      if handle.received != before { wakeReaders() }
      if result >= 0 {
        passTurn()
        return result
      }
      if result != Int(LIBSSH2_ERROR_EAGAIN) {
        let error = SSHFailure(operation: operation, code: Int32(truncatingIfNeeded: result), message: lastMessage(handle))
        if let reason = handle.refusal ?? (error.endsSession ? error.description : nil) {
          end(ExecutorError.unreachable(host: hostName, reason: reason))
        }
        passTurn()
        throw failure ?? error
      }
      let directions = libssh2_session_block_directions(handle.session)
      let sends = directions & LIBSSH2_SESSION_BLOCK_OUTBOUND != 0
      let mayBeGivenUp = yielding && !sends
      if ContinuousClock.now >= deadline {
        let cause = timeout(operation, since: began, from: DeadlinePassed())
        if !mayBeGivenUp { end(cause) }
        passTurn()
        throw cause
      }
      if handle.isSpent {
        // There may be more to read than one turn of the loop may take; the socket would not say so.
        if mayBeGivenUp { passTurn() }
        await loop.nextTurn()
        if mayBeGivenUp { await takeTurn() }
        continue
      }
      do {
        if mayBeGivenUp {
          // What came during the call may be what an earlier part of it had looked for.
          if handle.received != before { continue }
          passTurn()
          try await waitForPeer(until: deadline, seen: handle.received, cancellable: cancellable)
          await takeTurn()
        } else {
          var events: DescriptorEvents = sends ? .writable : []
          if !sends || directions & LIBSSH2_SESSION_BLOCK_INBOUND != 0 { events.insert(.readable) }
          do { try await suspend(makeID(), events: events, until: deadline, seen: nil) } catch {
            let cause = timeout(operation, since: began, from: error)
            end(cause)
            passTurn()
            throw cause
          }
        }
      } catch {
        throw timeout(operation, since: began, from: error)
      }
    }
  }

  private func timeout(_ operation: String, since began: ContinuousClock.Instant, from error: any Error) -> any Error {
    guard error is DeadlinePassed else { return error }
    return ExecutorError.timedOut(host: hostName, operation: operation, seconds: (ContinuousClock.now - began).inSeconds)
  }

  private func lastMessage(_ handle: SSHHandle) -> String {
    var text: UnsafeMutablePointer<CChar>?
    libssh2_session_last_error(handle.session, &text, nil, 0)
    return text.map { String(cString: $0) } ?? ""
  }

  // MARK: Waiting

  private func waitForPeer(until deadline: ContinuousClock.Instant, seen: UInt64, cancellable: Bool) async throws {
    let id = makeID()
    guard cancellable else { return try await suspend(id, events: .readable, until: deadline, seen: seen) }
    try await withTaskCancellationHandler {
      try await suspend(id, events: .readable, until: deadline, seen: seen, cancellable: true)
    } onCancel: {
      loop.perform { self.assumeIsolated { $0.resume(id, throwing: CancellationError()) } }
    }
  }

  /// `seen` is how much had come in when the caller last looked: if more came since, there is nothing to wait for.
  private func suspend(
    _ id: UInt64, events: DescriptorEvents, until deadline: ContinuousClock.Instant, seen: UInt64?, cancellable: Bool = false
  ) async throws {
    if cancellable, Task.isCancelled { throw CancellationError() }
    if let failure { throw failure }
    guard let handle else { throw ExecutorError.unreachable(host: hostName, reason: "the session is closed") }
    if let seen, handle.received != seen { return }
    try await withCheckedThrowingContinuation { continuation in
      waiters[id] = Waiter(events: events, deadline: deadline, continuation: continuation)
      updateWatch()
    }
  }

  private func resume(_ id: UInt64, throwing error: any Error) {
    waiters.removeValue(forKey: id)?.continuation.resume(throwing: error)
  }

  private func wakeReaders() {
    for (id, waiter) in waiters where waiter.events.contains(.readable) {
      waiters[id] = nil
      waiter.continuation.resume()
    }
  }

  private static let hangUp: DescriptorEvents = [.hungUp, .failed, .invalid, .peerClosed]

  func updateWatch() {
    guard let handle, failure == nil else { return }
    // An idle session is watched too, so that a peer that goes away is noticed at once.
    var events: DescriptorEvents = peerHungUp ? [] : .peerClosed
    for waiter in waiters.values { events.formUnion(waiter.events) }
    guard !events.isEmpty else { return loop.unwatch(handle.descriptor) }
    let deadline = waiters.values.map(\.deadline).min()
    loop.watch(handle.descriptor, for: events, until: deadline) { [weak self] events in
      guard let self else { return }
      self.assumeIsolated { $0.ready(events) }
    }
  }

  private func ready(_ events: DescriptorEvents) {
    let now = ContinuousClock.now
    let isHungUp = !events.isDisjoint(with: Self.hangUp)
    if isHungUp {
      peerHungUp = true
      // With channels open there may be output to read before the end.
      if channels.isEmpty, waiters.isEmpty { return end(ExecutorError.unreachable(host: hostName, reason: "the host closed the connection")) }
    }
    for (id, waiter) in waiters {
      if isHungUp || !waiter.events.isDisjoint(with: events) {
        waiters[id] = nil
        waiter.continuation.resume()
      } else if waiter.deadline <= now {
        waiters[id] = nil
        waiter.continuation.resume(throwing: DeadlinePassed())
      }
    }
    updateWatch()
  }

  // MARK: End

  /// Makes the session unusable: every wait ends with the cause.
  func end(_ cause: any Error) {
    guard failure == nil else { return }
    failure = cause
    liveness?.cancel()
    if let handle {
      loop.unwatch(handle.descriptor)
      handle.shutDown()
    }
    let ended = waiters
    waiters = [:]
    for waiter in ended.values { waiter.continuation.resume(throwing: cause) }
  }

  /// Says good-bye if that is possible at once, and frees the connection.
  func close() {
    if isUsable, !isTaken, let handle { libssh2_session_disconnect_ex(handle.session, SSH_DISCONNECT_BY_APPLICATION, "", "") }
    end(ExecutorError.unreachable(host: hostName, reason: "the session was closed"))
    channels = [:]
    givenUp = []
    handle = nil
  }
}
