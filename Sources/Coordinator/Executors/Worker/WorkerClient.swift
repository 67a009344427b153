import BuildModel
import FoundationEssentials

/// Where a worker program and its files are on a host. Both may begin with `~/`.
package struct InstalledWorker: Hashable, Sendable {
  package let binary: String
  package let root: String

  package init(binary: String, root: String) {
    self.binary = binary
    self.root = root
  }

  func verb(_ arguments: [String]) -> RemoteCommand { RemoteCommand([binary] + arguments + ["--root", root]) }
}

/// Speaks the worker verbs. What comes back is validated here: no caller needs to distrust it again but for its meaning.
///
/// All calls throw ``ExecutorError``, `CancellationError` or, where a store is involved, `BlobStoreError`.
package struct WorkerClient: Sendable {
  package let transport: any WorkerTransport
  package let command: InstalledWorker
  package var hostName: String { transport.hostName }

  package init(transport: any WorkerTransport, command: InstalledWorker) {
    self.transport = transport
    self.command = command
  }

  /// What the host is and has.
  package func probe() async throws -> ProbeReport {
    try await ask(["probe"], for: ProbeReport.self)
  }

  /// Starts a detached attempt. Secrets travel as the second line of the input and are in no argument, log or error.
  package func start(_ spec: TaskSpec, secrets: [String: String]? = nil) async throws -> StartAnswer {
    var input = try WorkerProtocol.line(spec)
    if let secrets { input += try WorkerProtocol.line(secrets) }
    return try await ask(["start"], input: input, for: StartAnswer.self)
  }

  /// Ends an attempt's processes; answers when they are gone. Harmless when there are none.
  package func cancel(_ attempt: AttemptID) async throws -> CancelAnswer {
    let answer = try await ask(["cancel", attempt.description], for: CancelAnswer.self, limits: ProcessLimits(silence: .seconds(120)))
    guard answer.attempt == attempt else {
      throw ExecutorError.malformed(host: hostName, what: "an answer about \(answer.attempt) instead of \(attempt)")
    }
    return answer
  }

  /// Lets the worker remove an ended attempt's outcome and blobs when it likes, and its work tree at once unless `keepsTree`. Harmless to repeat.
  package func acknowledge(_ attempt: AttemptID, keepsTree: Bool) async throws {
    let answer = try await ask(["acknowledge", attempt.description] + (keepsTree ? ["--keep-tree"] : []), for: AcknowledgeAnswer.self)
    guard answer.attempt == attempt else {
      throw ExecutorError.malformed(host: hostName, what: "an answer about \(answer.attempt) instead of \(attempt)")
    }
  }

  /// The attempts that the worker knows.
  package func list() async throws -> [ProbeReport.AttemptState] {
    try await ask(["list"], for: [ProbeReport.AttemptState].self)
  }

  /// Removes what nothing needs any more, or, with `room`, what is missed least until so many bytes are free; returns the bytes freed.
  package func collectGarbage(room: ByteCount? = nil) async throws -> Int64 {
    struct Answer: Decodable { let freedBytes: Int64 }
    return try await ask(["gc"] + (room.map { ["--room", "\($0.bytes)"] } ?? []), for: Answer.self, limits: ProcessLimits(silence: .seconds(600)))
      .freedBytes
  }

  /// What still uses the host's disk below the worker's root.
  package func diskUse() async throws -> [DiskUse] {
    try await ask(["gc", "--usage"], for: [DiskUse].self, limits: ProcessLimits(silence: .seconds(600)))
  }

  /// Runs a verb that answers with one JSON line.
  func ask<Answer: Decodable & Sendable>(
    _ arguments: [String], input: [UInt8] = [], for type: Answer.Type,
    limits: ProcessLimits = ProcessLimits(silence: .seconds(60), total: .seconds(180))
  ) async throws -> Answer {
    try await transport.withProcess(command.verb(arguments), limits: limits) { process in
      if try await process.write(input) { try await process.closeInput() }
      return try await answer(of: process, to: arguments, as: type)
    }
  }

  /// Marker, one JSON line, exit.
  func answer<Answer: Decodable>(of process: any WorkerProcess, to arguments: [String], as type: Answer.Type) async throws -> Answer {
    var reader = AnswerReader(process: process, hostName: hostName)
    try await reader.skipToMarker()
    guard let line = try await reader.line() else { throw try await failure(of: process, arguments) }
    let value = try reader.decode(type, line)
    let exit = try await process.waitForExit()
    guard exit.isSuccess else { throw failed(arguments, exit) }
    return value
  }

  /// The error of a verb whose output ended too early.
  func failure(of process: any WorkerProcess, _ arguments: [String]) async throws -> ExecutorError {
    let exit = try await process.waitForExit()
    if exit.isSuccess { return .malformed(host: hostName, what: "no answer to '\(arguments.joined(separator: " "))'") }
    return failed(arguments, exit)
  }

  func failed(_ arguments: [String], _ exit: ProcessExit) -> ExecutorError {
    if exit.status == 3, arguments.count > 1, let attempt = AttemptID(arguments[1]) {
      return .unknownAttempt(host: hostName, attempt: attempt)
    }
    return .remote(host: hostName, command: arguments.joined(separator: " "), exit: exit)
  }
}
