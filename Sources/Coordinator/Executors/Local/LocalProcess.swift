import CSSH2
import EventLoop
import FoundationEssentials
import Glibc
import Processes

/// A child process with its three pipes, driven by the loop like a session.
actor LocalProcess: WorkerProcess {
  private nonisolated let loop: DescriptorLoop
  private nonisolated let hostName: String
  private nonisolated let deadline: ProcessDeadline
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.unownedExecutor }

  private var child: StartedChild?
  private var input: Int32 = -1
  private var output: Int32 = -1
  private var errors: Int32 = -1
  /// Readable when the child has ended; closed with it.
  private var ending: Int32 = -1
  private var standardError = OutputTail()
  private var exit: ProcessExit?
  private var waiters: [Int32: CheckedContinuation<Readiness, any Error>] = [:]

  private static let pieceSize = 256 << 10

  init(loop: DescriptorLoop, hostName: String, deadline: ProcessDeadline) {
    self.loop = loop
    self.hostName = hostName
    self.deadline = deadline
  }

  // MARK: Start

  /// Starts the program in a process group of its own; it gets these variables and no others.
  func start(_ command: Command) throws(ExecutorError) {
    do {
      var stdin = try ChildPipe.inputSocket(of: command.program)
      var stdout = try ChildPipe.output(of: command.program)
      var stderr = try ChildPipe.output(of: command.program)
      var child = try ChildProcess.spawn(
        command, descriptors: ChildDescriptors(input: stdin.childEnd, output: stdout.childEnd, errors: stderr.childEnd), group: .own)
      guard child.endDescriptor >= 0 else {
        child.kill()
        throw ProcessError.system(operation: "watch", subject: command.program, errno: child.watchFailure)
      }
      ending = child.endDescriptor
      self.child = consume child
      (input, output, errors) = (stdin.takeOwn(), stdout.takeOwn(), stderr.takeOwn())
    } catch {
      throw failed("\(error)")
    }
    for descriptor in [input, output, errors] { _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK) }
  }

  private func failed(_ reason: String) -> ExecutorError { .childProcess(host: hostName, reason: reason) }

  private func failed(_ operation: String, _ code: Int32) -> ExecutorError {
    failed("\(operation) the child process: \(String(cString: strerror(code)))")
  }

  // MARK: Input and output

  func write(_ bytes: [UInt8]) async throws -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
      try deadline.checkTotal("sending input", host: hostName)
      guard input >= 0 else { return false }
      let count = rest.withUnsafeBytes { send(input, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      if count >= 0 {
        rest = rest.dropFirst(count)
      } else if errno == EAGAIN {
        try await ready(input, .writable, "sending input")
      } else if errno == EPIPE || errno == ECONNRESET {
        return false
      } else if errno != EINTR {
        throw failed("write to", errno)
      }
    }
    return true
  }

  func closeInput() { closeOne(&input) }

  func read() async throws -> [UInt8]? {
    try deadline.checkTotal("waiting for output", host: hostName)
    while true {
      drainErrors()
      guard output >= 0 else { return nil }
      var failure: Int32 = 0
      let bytes = [UInt8](unsafeUninitializedCapacity: Self.pieceSize) { buffer, count in
        let got = Glibc.read(output, buffer.baseAddress, Self.pieceSize)
        failure = got < 0 ? errno : 0
        count = max(0, got)
      }
      if !bytes.isEmpty { return bytes }
      switch failure {
      case 0: closeOne(&output)
      case EINTR: break
      case EAGAIN: try await ready(output, .readable, "waiting for output")
      default: throw failed("read from", failure)
      }
    }
  }

  func waitForExit() async throws -> ProcessExit {
    var rest = UnreadOutput(hostName: hostName)
    while let piece = try await read() {
      try rest.drop(piece)
      await loop.nextTurn()
    }
    while exit == nil, !reap() { try await ready(ending, .readable, "waiting for the end") }
    drainErrors()
    let ended = exit ?? ProcessExit(status: nil, signal: nil, standardError: "")
    return ProcessExit(status: ended.status, signal: ended.signal, standardError: standardError.text)
  }

  private func drainErrors() {
    guard errors >= 0 else { return }
    var bytes = [UInt8](repeating: 0, count: 16 << 10)
    // A bounded number of turns: a child that only ever writes errors must not hold the loop.
    for _ in 0..<16 {
      let count = bytes.withUnsafeMutableBytes { Glibc.read(errors, $0.baseAddress, $0.count) }
      if count == 0 { closeOne(&errors) }
      guard count > 0 else { return }
      standardError.append(bytes.prefix(count))
    }
  }

  // MARK: Waiting

  /// Waits for a descriptor, and meanwhile takes away what the child writes to its standard error.
  private func ready(_ descriptor: Int32, _ events: DescriptorEvents, _ operation: String) async throws {
    let limit = deadline.next
    let began = ContinuousClock.now
    while true {
      let answer = try await withTaskCancellationHandler {
        try await suspend(descriptor, events, until: limit)
      } onCancel: {
        loop.perform { self.assumeIsolated { $0.resume(descriptor, with: .failure(CancellationError())) } }
      }
      switch answer {
      case .ready: return
      case .errorsCame:
        drainErrors()
        guard ContinuousClock.now < limit else {
          throw ExecutorError.timedOut(host: hostName, operation: operation, seconds: (ContinuousClock.now - began).inSeconds)
        }
      case .late: throw ExecutorError.timedOut(host: hostName, operation: operation, seconds: (ContinuousClock.now - began).inSeconds)
      }
    }
  }

  /// How a wait ended.
  private enum Readiness: Sendable {
    case ready
    /// Nothing yet, but the child has written to its standard error.
    case errorsCame
    case late
  }

  private func suspend(_ descriptor: Int32, _ events: DescriptorEvents, until limit: ContinuousClock.Instant) async throws -> Readiness {
    try Task.checkCancellation()
    return try await withCheckedThrowingContinuation { continuation in
      waiters[descriptor] = continuation
      loop.watch(descriptor, for: events, until: limit) { [weak self] events in
        self?.assumeIsolated { $0.resume(descriptor, with: .success(events.isEmpty ? .late : .ready)) }
      }
      if errors >= 0, errors != descriptor {
        loop.watch(errors, for: .readable) { [weak self] _ in
          self?.assumeIsolated { $0.resume(descriptor, with: .success(.errorsCame)) }
        }
      }
    }
  }

  private func resume(_ descriptor: Int32, with result: Result<Readiness, any Error>) {
    guard let continuation = waiters.removeValue(forKey: descriptor) else { return }
    loop.unwatch(descriptor)
    if errors >= 0 { loop.unwatch(errors) }
    continuation.resume(with: result)
  }

  // MARK: End

  /// Takes the child's end if it has come; true when there is nothing more to wait for.
  private func reap() -> Bool {
    guard exit == nil else { return true }
    do {
      switch try child?.reap() {
      case .exited(let status)?: exit = ProcessExit(status: status, signal: nil, standardError: "")
      case .signalled(let number)?: exit = ProcessExit(status: nil, signal: ChildEnd.signalName(number), standardError: "")
      case .silent?, .overdue?, .cancelled?, nil: return child == nil
      }
    } catch {
      // Somebody else took the end.
      exit = ProcessExit(status: nil, signal: nil, standardError: "")
    }
    return true
  }

  /// Ends what still runs of the child's process group: asks, waits two seconds, kills, and waits for the end. Not cancelled with the task.
  ///
  /// A runner that the worker started is in a session of its own and goes on.
  func end() async {
    closeOne(&input)
    closeOne(&output)
    closeOne(&errors)
    for number in [SIGTERM, SIGKILL] where !reap() {
      child?.signal(number)
      await waitForEnding(until: .now + .seconds(2))
    }
    _ = reap()
    loop.unwatch(ending)
    ending = -1
    child = nil
  }

  private func waitForEnding(until limit: ContinuousClock.Instant) async {
    let descriptor = ending
    await withCheckedContinuation { continuation in
      loop.watch(descriptor, for: .readable, until: limit) { _ in continuation.resume() }
    }
  }

  private func closeOne(_ descriptor: inout Int32) {
    guard descriptor >= 0 else { return }
    loop.unwatch(descriptor)
    close(descriptor)
    descriptor = -1
  }
}
