import CSSH2
import EventLoop
import FoundationEssentials
import Glibc

/// A child process with its three pipes, driven by the loop like a session.
actor LocalProcess: WorkerProcess {
  private nonisolated let loop: DescriptorLoop
  private nonisolated let hostName: String
  private nonisolated let deadline: ProcessDeadline
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.unownedExecutor }

  private var pid: pid_t = -1
  private var input: Int32 = -1
  private var output: Int32 = -1
  private var errors: Int32 = -1
  /// Readable when the child has ended.
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

  func start(_ arguments: [String], environment: [String: String]) throws {
    let program = arguments.first ?? ""
    var childEnds: [Int32] = []
    defer { for end in childEnds { close(end) } }
    do {
      let stdin = try Self.socketPair()
      childEnds.append(stdin.child)
      input = stdin.own
      let stdout = try Self.pipe()
      childEnds.append(stdout.write)
      output = stdout.read
      let stderr = try Self.pipe()
      childEnds.append(stderr.write)
      errors = stderr.read
      pid = try ChildSpawn.start(arguments, environment: environment, descriptors: childEnds)
      ending = blockfarm_pidfd_open(pid)
      guard ending >= 0 else {
        let cause = errno
        kill(-pid, SIGKILL)
        waitpid(pid, nil, 0)
        pid = -1
        throw ExecutorError.local(operation: "watch the child process", path: program, errno: cause)
      }
      for descriptor in [input, output, errors] { _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK) }
    } catch {
      closeAll()
      throw error
    }
  }

  private static func pipe() throws -> (read: Int32, write: Int32) {
    var ends: [Int32] = [-1, -1]
    guard blockfarm_pipe(&ends, O_CLOEXEC) == 0 else { throw ExecutorError.local(operation: "make a pipe", path: "", errno: errno) }
    return (ends[0], ends[1])
  }

  /// A socket, because writing to it can be told not to raise SIGPIPE.
  private static func socketPair() throws -> (child: Int32, own: Int32) {
    var ends: [Int32] = [-1, -1]
    let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    guard socketpair(AF_UNIX, type, 0, &ends) == 0 else {
      throw ExecutorError.local(operation: "make a socket pair", path: "", errno: errno)
    }
    return (ends[0], ends[1])
  }

  // MARK: Input and output

  func write(_ bytes: [UInt8]) async throws -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
      guard input >= 0 else { return false }
      let count = rest.withUnsafeBytes { send(input, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      if count >= 0 {
        rest = rest.dropFirst(count)
      } else if errno == EAGAIN {
        try await ready(input, .writable, "sending input")
      } else if errno == EPIPE || errno == ECONNRESET {
        return false
      } else if errno != EINTR {
        throw ExecutorError.local(operation: "write to the child process", path: "", errno: errno)
      }
    }
    return true
  }

  func closeInput() { closeOne(&input) }

  func read() async throws -> [UInt8]? {
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
      default: throw ExecutorError.local(operation: "read from the child process", path: "", errno: failure)
      }
    }
  }

  func waitForExit() async throws -> ProcessExit {
    while try await read() != nil {}
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
      case .errorsCame: drainErrors()
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

  /// Reaps the child if it has ended.
  private func reap() -> Bool {
    if pid < 0 { return true }
    var status: Int32 = 0
    let found = waitpid(pid, &status, WNOHANG)
    if found == 0 { return false }
    pid = -1
    guard found > 0 else {
      exit = ProcessExit(status: nil, signal: nil, standardError: "")
      return true
    }
    let signal = status & 0x7f
    exit =
      signal == 0
      ? ProcessExit(status: status >> 8 & 0xff, signal: nil, standardError: "")
      : ProcessExit(status: nil, signal: ChildSpawn.signalName(signal), standardError: "")
    return true
  }

  /// Ends what still runs of the child's process group: asks, waits two seconds, kills, and waits for the end. Not cancelled with the task.
  func end() async {
    closeOne(&input)
    closeOne(&output)
    closeOne(&errors)
    if pid >= 0, !reap() {
      for signal in [SIGTERM, SIGKILL] where pid >= 0 {
        kill(-pid, signal)
        await waitForEnding(until: .now + .seconds(2))
        _ = reap()
      }
    }
    closeAll()
  }

  private func waitForEnding(until limit: ContinuousClock.Instant) async {
    let descriptor = ending
    await withCheckedContinuation { continuation in
      loop.watch(descriptor, for: .readable, until: limit) { _ in continuation.resume() }
    }
  }

  private func closeAll() {
    closeOne(&input)
    closeOne(&output)
    closeOne(&errors)
    closeOne(&ending)
  }

  private func closeOne(_ descriptor: inout Int32) {
    guard descriptor >= 0 else { return }
    loop.unwatch(descriptor)
    close(descriptor)
    descriptor = -1
  }
}
