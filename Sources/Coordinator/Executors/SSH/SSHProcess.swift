/// A command on a session, as ``HostConnection`` hands it out.
struct SSHProcess: WorkerProcess {
  let session: SSHSession
  let channel: UInt64
  let deadline: ProcessDeadline

  func write(_ bytes: [UInt8]) async throws -> Bool { try await session.write(channel, bytes, deadline) }
  func closeInput() async throws { try await session.closeInput(channel) }
  func read() async throws -> [UInt8]? { try await session.read(channel, deadline) }
  func waitForExit() async throws -> ProcessExit { try await session.waitForExit(channel, deadline) }
}
