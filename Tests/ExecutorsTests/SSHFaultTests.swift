import Foundation
import TestFiles
import TestPeers
import Testing

@testable import Executors

/// One at a time: the limits are short.
@Suite(.serialized) struct SSHFaultTests {
  private static var quick: ConnectionLimits {
    var limits = ConnectionLimits()
    limits.keepalive = .milliseconds(300)
    limits.firstBackoff = .milliseconds(50)
    return limits
  }

  @Test func cancellationLeavesTheSessionUsable() async throws {
    try await withPrivateSSHD { host in
      let connection = try host.connection()
      let began = ContinuousClock.now
      let (started, signal) = AsyncStream<Void>.makeStream()
      let task = Task {
        try await connection.withProcess(RemoteCommand(["sh", "-c", "echo started; exec sleep 1000"]), limits: ProcessLimits()) { process in
          _ = try await process.read()
          signal.yield()
          _ = try await process.read()
        }
      }
      for await _ in started { break }
      task.cancel()
      let result = await task.result
      #expect(throws: CancellationError.self) { try result.get() }
      #expect(ContinuousClock.now - began < .seconds(5))
      #expect(try await connection.exchange(["echo", "on"]).text == "on\n")
      #expect(host.logLines.filter { $0.contains("Accepted publickey") }.count == 1)
    }
  }

  @Test func aSilentCommandIsTimedOut() async throws {
    try await withPrivateSSHD { host in
      let connection = try host.connection()
      let error = await failure { try await connection.exchange(["sleep", "1000"], limits: ProcessLimits(silence: .milliseconds(200))) }
      guard case .timedOut("arm-1", _, _) = error as? ExecutorError else {
        Issue.record("\(String(describing: error))")
        return
      }
      let chatter = await failure {
        try await connection.exchange(["yes"], limits: ProcessLimits(silence: .seconds(20), total: .milliseconds(500)))
      }
      guard case .timedOut = chatter as? ExecutorError else {
        Issue.record("\(String(describing: chatter))")
        return
      }
      #expect(try await connection.exchange(["echo", "on"]).text == "on\n")
    }
  }

  enum Activity: CaseIterable { case idle, reading, writing }

  @Test(arguments: Activity.allCases)
  func noticesAStoppedPeer(activity: Activity) async throws {
    try await withPrivateSSHD { host in
      let connection = try host.connection(limits: Self.quick)
      #expect(try await connection.exchange(["echo", "on"]).text == "on\n")
      let error = try await within(.seconds(20)) {
        await failure { () async throws -> Exchange in
          switch activity {
          case .idle:
            host.signalSessions(SIGSTOP)
            return try await connection.exchange(["echo", "on"])
          case .reading:
            return try await connection.withProcess(RemoteCommand(["sh", "-c", "echo x; exec sleep 1000"]), limits: ProcessLimits()) { process in
              _ = try await process.read()
              host.signalSessions(SIGSTOP)
              return Exchange(output: try await process.read() ?? [], exit: try await process.waitForExit())
            }
          case .writing:
            return try await connection.withProcess(RemoteCommand(["sh", "-c", "cat > /dev/null"]), limits: ProcessLimits()) { process in
              try await process.write([1])
              host.signalSessions(SIGSTOP)
              while try await process.write(noise(1 << 20)) {}
              return Exchange(exit: try await process.waitForExit())
            }
          }
        }
      }
      guard case .unreachable("arm-1", let reason) = error as? ExecutorError else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(reason.contains("no sign of life"))
      host.signalSessions(SIGKILL)
      #expect(try await connection.exchange(["echo", "again"]).text == "again\n")
    }
  }

  @Test func connectsAgainAfterTheSessionWasKilled() async throws {
    try await withPrivateSSHD { host in
      let connection = try host.connection(limits: Self.quick)
      let error = await failure {
        try await connection.withProcess(RemoteCommand(["sh", "-c", "echo x; exec sleep 1000"]), limits: ProcessLimits()) { process in
          _ = try await process.read()
          host.signalSessions(SIGKILL)
          while try await process.read() != nil {}
        }
      }
      guard case .unreachable("arm-1", _) = error as? ExecutorError else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(try await connection.exchange(["echo", "again"]).text == "again\n")
      // Also when nobody was looking.
      host.signalSessions(SIGKILL)
      let next = await failure { try await connection.exchange(["true"]) }
      if let next { #expect((next as? ExecutorError)?.isHostTrouble == true) }
      #expect(try await connection.exchange(["echo", "again"]).text == "again\n")
    }
  }

  @Test func pacesItsAttempts() async throws {
    try await withPrivateSSHD { host in
      var destination = try host.destination()
      destination.port = try freePort()
      var limits = ConnectionLimits()
      limits.firstBackoff = .milliseconds(100)
      let connection = HostConnection(destination: destination, loop: try testLoop(), limits: limits)
      let began = ContinuousClock.now
      for _ in 0..<4 { #expect(await failure { try await connection.shell("true") } != nil) }
      // 100, 200 and 400 ms before the second, third and fourth.
      let took = ContinuousClock.now - began
      #expect(took >= .milliseconds(700))
      #expect(took < .seconds(5))
    }
  }

  @Test func aCallerThatWaitsForAConnectionCanBeCancelled() async throws {
    try await withPrivateSSHD { host in
      var destination = try host.destination()
      destination.port = try freePort()
      var limits = ConnectionLimits()
      limits.firstBackoff = .seconds(30)
      let connection = HostConnection(destination: destination, loop: try testLoop(), limits: limits)
      #expect(await failure { try await connection.shell("true") } is ExecutorError)
      let task = Task { try await connection.shell("true") }
      task.cancel()
      let result = try await within(.seconds(5)) { await task.result }
      #expect(throws: CancellationError.self) { try result.get() }
    }
  }
}
