import BuildModel
import Cloud
import Foundation
import Glibc
import Publishing
import PublishingSupport
import TestFiles
import Testing

@testable import TestCloud

/// A publication that is killed at every single request it makes, in a process of its own, and then run again.
@Suite(.serialized) struct KillTests {
  /// A child that publishes, and how it ended.
  struct Child: Sendable {
    let process: Process
    let output: Pipe

    init(_ bench: PublishBench, directory: String) throws {
      process = Process()
      output = Pipe()
      process.executableURL = try URL(filePath: Project.program("publish-once"))
      process.arguments = [bench.cloud.url, directory, "final", "1"]
      process.environment = ["BLOCKFARM_TOKEN": bench.token.exposed, "PATH": "/usr/bin:/bin"]
      process.standardOutput = output
      process.standardError = output
    }

    /// Runs to the end; all of what it said.
    func run() async throws -> (status: Int32, signal: Bool, text: String) {
      try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread {
          do {
            try process.run()
            let data = output.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            continuation.resume(
              returning: (process.terminationStatus, process.terminationReason == .uncaughtSignal, String(decoding: data, as: UTF8.self)))
          } catch { continuation.resume(throwing: error) }
        }
      }
    }
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
        let whole = try await Child(bench, directory: try directory("whole")).run()
        #expect(whole.status == 0 && !whole.signal, "\(whole.text)")
        try await bench.expectPublishedOnce()
        let count = await bench.cloud.traffic.count
        #expect(count > 100)
        #expect(!whole.text.contains(bench.token.exposed))
        var (position, killed) = (first, 0)
        // A killed run leaves the next one other requests than an unbroken one has, so the end is where the child is not killed any more.
        while true {
          await bench.cloud.engine.edit { $0 = empty }
          await bench.cloud.traffic.reset()
          let place = try directory("\(position)")
          let child = try Child(bench, directory: place)
          let process = child.process
          await bench.cloud.traffic.afterRequest(position) { _ in Glibc.kill(process.processIdentifier, SIGKILL) }
          let first = try await child.run()
          if !first.signal { break }
          try await bench.expectNothingHalfIsVisible()
          let second = try await Child(bench, directory: place).run()
          #expect(second.status == 0 && !second.signal, "after \(position): \(second.text)")
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
