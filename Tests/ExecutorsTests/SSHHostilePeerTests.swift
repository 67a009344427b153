import EventLoop
import Foundation
import Synchronization
import TestFiles
import TestPeers
import Testing

@testable import Executors

/// A host that floods, drips or hangs costs itself alone: its call ends with its limit, and meanwhile another host on the same loop answers.
@Suite(.serialized) struct SSHHostilePeerTests {
  typealias Behaviour = HostileSSHServer.Behaviour

  private static var quick: ConnectionLimits {
    var limits = ConnectionLimits()
    limits.connect = .seconds(2)
    limits.control = .seconds(1)
    return limits
  }

  /// What the call to the hostile host ended with, how long it took, and how long the other host's slowest answer took meanwhile.
  private struct Attack {
    var error: (any Error)?
    var seconds: Double
    var slowestAnswer: Double
    var answers: Int
    /// The longest that the loop's thread kept anybody waiting.
    var longestTurn: Double
  }

  private func attack(_ behaviour: Behaviour, silence: Duration = .seconds(1), cancelAfter: Duration? = nil) async throws -> Attack {
    try await withPrivateSSHD { honest in
      try await withHostileSSHServer(behaviour) { hostile in
        let neighbour = try honest.connection()
        _ = try await neighbour.exchange(["true"])
        let fingerprint = try #require(HostKeyFingerprint(hostile.fingerprint))
        let destination = SSHDestination(
          name: "hostile", host: "127.0.0.1", port: hostile.port, user: "me", hostKey: fingerprint, identity: .file(honest.identity))
        let connection = HostConnection(destination: destination, loop: try testLoop(), limits: Self.quick)
        return try await within(.seconds(60)) {
          let victim = Task {
            try await connection.withProcess(RemoteCommand(["true"]), limits: ProcessLimits(silence: silence, total: .seconds(3))) { process in
              while try await process.read() != nil {}
            }
          }
          let began = ContinuousClock.now
          let ended = Task {
            let result = await victim.result
            return (result, (ContinuousClock.now - began).inSeconds)
          }
          var result = Attack(seconds: 0, slowestAnswer: 0, answers: 0, longestTurn: 0)
          let clock = Task {
            if let cancelAfter {
              try? await Task.sleep(for: cancelAfter)
              victim.cancel()
            }
            _ = await ended.value
          }
          let watch = Watch()
          Task {
            await clock.value
            watch.end()
          }
          let loop = try testLoop()
          let turns = Task {
            var longest = 0.0
            while !watch.isOver {
              let asked = ContinuousClock.now
              await loop.nextTurn()
              longest = max(longest, (ContinuousClock.now - asked).inSeconds)
              try? await Task.sleep(for: .milliseconds(1))
            }
            return longest
          }
          repeat {
            let asked = ContinuousClock.now
            _ = try await neighbour.exchange(["true"])
            result.slowestAnswer = max(result.slowestAnswer, (ContinuousClock.now - asked).inSeconds)
            result.answers += 1
          } while !watch.isOver
          let (outcome, seconds) = await ended.value
          if case .failure(let error) = outcome { result.error = error }
          result.seconds = seconds
          result.longestTurn = await turns.value
          await connection.disconnect()
          await neighbour.disconnect()
          return result
        }
      }
    }
  }

  private final class Watch: Sendable {
    private let over = Mutex(false)
    func end() { over.withLock { $0 = true } }
    var isOver: Bool { over.withLock { $0 } }
  }

  @Test(arguments: [
    (Behaviour.textBeforeVersion, "no version in the first 8 KiB" as String?), (.endlessVersion, nil), (.drippingVersion, "SSH handshake"),
    (.silence, "SSH handshake"), (.silenceAfterVersion, "SSH handshake"), (.hangUpAfterVersion, nil),
    (.ignoreBeforeKeys, "more than 256 KiB before the log-in"), (.debugBeforeKeys, "more than 256 KiB before the log-in"),
    (.silenceDuringLogin, "log-in"), (.ignoreDuringLogin, "more than 256 KiB before the log-in"),
    (.silenceAtOpening, "opening a channel"), (.ignoreAtOpening, "opening a channel"), (.ignoreWhileRunning, "waiting for output"),
    (.dripWhileRunning, "waiting for output"), (.unknownWhileRunning, "than one session may hold"), (.outputBeyondWindow, "waiting for output"),
    (.outputWithoutEnd, "waiting for output"), (.errorsWithoutEnd, "waiting for output"), (.hangUpWhileRunning, nil),
  ])
  func costsItselfAlone(behaviour: Behaviour, reason: String?) async throws {
    let attack = try await attack(behaviour)
    let error = try #require(attack.error as? ExecutorError)
    #expect(error.isHostTrouble && reason.map("\(error)".contains) != false, "\(error)")
    // Generous, for a machine with much to do: what these stand against has no end at all.
    #expect(attack.seconds < 20)
    #expect(attack.slowestAnswer < 5)
    #expect(attack.longestTurn < 0.5)
  }

  @Test(arguments: [Behaviour.textBeforeVersion, .drippingVersion, .ignoreDuringLogin, .ignoreAtOpening, .ignoreWhileRunning, .outputWithoutEnd])
  func canBeCancelledMeanwhile(behaviour: Behaviour) async throws {
    let attack = try await attack(behaviour, silence: .seconds(60), cancelAfter: .milliseconds(500))
    #expect(attack.seconds < 4, "\(String(describing: attack.error))")
  }
}
