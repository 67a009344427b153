import BuildModel
import Processes

extension WorkerClient {
  /// Compares the installed program with its recorded digest. The host's `sha256sum` reads it: what was put in the program's place is not asked, and not
  /// run.
  package func verifyInstalled(_ recorded: Digest) async throws {
    let (exit, output) = try await transport.capture(RemoteCommand(["sha256sum", command.binary]))
    // What a login shell prints comes first. A name with odd characters makes the line begin with a backslash (sha256sum(1)).
    let line = OutputTail.printable(output.suffix(4096)).split(whereSeparator: \.isNewline).last ?? ""
    let word = line.split(separator: " ").first.map { $0.hasPrefix("\\") ? $0.dropFirst() : $0[...] } ?? ""
    guard exit.isSuccess, let found = Digest(hex: String(word)) else {
      let reason = exit.isSuccess ? "sha256sum printed '\(line.prefix(200))'" : "\(exit.reason): \(exit.standardError)"
      throw ExecutorError.workerUnverified(host: hostName, reason: reason)
    }
    guard found == recorded else { throw ExecutorError.workerReplaced(host: hostName, binary: command.binary, recorded: recorded, found: found) }
  }
}

extension WorkerTransport {
  /// Runs a short command of the host and keeps the end of what it prints, at most 64 KiB.
  func capture(_ command: RemoteCommand) async throws -> (exit: ProcessExit, output: [UInt8]) {
    try await withProcess(command, limits: ProcessLimits(silence: .seconds(30), total: .seconds(60))) { process in
      try await process.closeInput()
      var output: [UInt8] = []
      while let piece = try await process.read() { output = (output + piece).suffix(64 << 10) }
      return (try await process.waitForExit(), output)
    }
  }
}
