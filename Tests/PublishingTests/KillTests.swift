import BuildModel
import Foundation
import Publishing
import PublishingSupport
import Synchronization
import TestFiles
import TestPeers
import Testing

@testable import TestCloud

/// A publication that is killed at every single request it makes, in a process of its own, and then run again.
@Suite(.serialized) struct KillTests {
  private final class Publisher: Sendable { let child = Mutex<Child?>(nil) }

  /// Publishes in a child, which is killed when the cloud has carried out the request of that number.
  private func run(_ bench: PublishBench, directory: String, killedAfter position: Int? = nil) async throws -> Child.Ended {
    let publisher = Publisher()
    if let position { await bench.cloud.traffic.afterRequest(position) { _ in publisher.child.withLock { $0?.signal(SIGKILL) } } }
    // Locked, so that no request can come before the child is known.
    let child = try publisher.child.withLock { child in
      let started = try Child(
        [try Project.program("publish-once"), bench.cloud.url, directory, "final", "1"],
        environment: ["BLOCKFARM_TOKEN": bench.token.exposed, "PATH": "/usr/bin:/bin"], limit: 600)
      child = started
      return started
    }
    return try await blocking { child.wait() }
  }

  /// Every how many requests a run is killed. More than 1 (BLOCKFARM_KILL_STRIDE) takes samples of it.
  private static let stride = ProcessInfo.processInfo.environment["BLOCKFARM_KILL_STRIDE"].flatMap(Int.init).map { max(1, $0) } ?? 1
  /// Clouds at once, each with every so many positions: a run waits more than it works.
  private static let lanes = 2

  /// Position by position: killed when the cloud has carried out the request and before it answers. After the second run there is
  /// exactly one release each, whole; in between nothing half is visible.
  @Test(.timeLimit(.minutes(60))) func survivesADeathAtEveryRequest() async throws {
    let killed = try await withThrowingTaskGroup(of: Int.self) { group in
      for lane in 0..<Self.lanes { group.addTask { try await kill(from: 1 + lane * Self.stride, step: Self.lanes * Self.stride) } }
      return try await group.reduce(0, +)
    }
    #expect(killed > 100 / Self.stride)
    print("killed at \(killed) positions")
  }

  /// Kills at each position of a lane in a cloud of its own; gives how many there were.
  private func kill(from first: Int, step: Int) async throws -> Int {
    try await PublishBench.with { bench in
      let empty = await bench.cloud.engine.edit { $0 }
      return try await withScratchDirectory { root in
        func directory(_ name: String) throws -> String {
          try FileManager.default.createDirectory(atPath: root + "/" + name, withIntermediateDirectories: true)
          return root + "/" + name
        }
        await bench.cloud.traffic.reset()
        let whole = try await run(bench, directory: try directory("whole"))
        #expect(whole.status == 0, "\(whole)")
        try await bench.expectPublishedOnce()
        let count = await bench.cloud.traffic.count
        #expect(count > 100)
        #expect(!"\(whole)".contains(bench.token.exposed))
        var (position, killed) = (first, 0)
        // A killed run leaves the next one other requests than an unbroken one has, so the end is where the child is not killed any more.
        while true {
          await bench.cloud.engine.edit { $0 = empty }
          await bench.cloud.traffic.reset()
          let place = try directory("\(position)")
          let first = try await run(bench, directory: place, killedAfter: position)
          if first.status != 128 + SIGKILL { break }
          try await bench.expectNothingHalfIsVisible()
          let second = try await run(bench, directory: place)
          #expect(second.status == 0, "after \(position): \(second)")
          try await bench.expectPublishedOnce()
          try? FileManager.default.removeItem(atPath: place)
          position += step
          killed += 1
        }
        #expect(position > count - 20 && position > 100, "the last position was \(position) of \(count)")
        return killed
      }
    }
  }
}
