import Dispatch
import Foundation
import Synchronization
import Testing

@testable import BoundedConcurrency

private final class Counter: Sendable {
  private let count = Mutex(0)
  var value: Int { count.withLock { $0 } }
  func add() { count.withLock { $0 += 1 } }
}

@Suite struct HangingCallsTests {
  @Test func givesWhatTheCallGives() async throws {
    #expect(try await HangingCalls(label: "test", atOnce: 2).run(until: .now + .seconds(20)) { 7 } == 7)
  }

  @Test func leavesACallBehindAtItsDeadline() async throws {
    let calls = HangingCalls(label: "test", atOnce: 1)
    let release = DispatchSemaphore(value: 0)
    #expect(try await calls.run(until: .now + .milliseconds(20)) { release.wait() } == nil)
    // Its place is taken until it has ended: the next one never starts.
    let started = Counter()
    #expect(try await calls.run(until: .now + .milliseconds(20)) { started.add() } == nil)
    release.signal()
    #expect(try await calls.run(until: .now + .seconds(20)) { "free" } == "free")
    #expect(started.value == 0)
  }

  @Test func aCancelledCallerDoesNotWait() async throws {
    let calls = HangingCalls(label: "test", atOnce: 1)
    let release = DispatchSemaphore(value: 0)
    defer { release.signal() }
    let task = Task { try await calls.run(until: .now + .seconds(60)) { release.wait() } }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
  }

  /// More of them than there are processors, all of which hang: everything else goes on. A hundred are far more threads than Dispatch shares.
  @Test func hangingCallsHoldNothingElseUp() async throws {
    let calls = HangingCalls(label: "test", atOnce: 100)
    let release = DispatchSemaphore(value: 0)
    let ended = Counter()
    let hanging = Task {
      await withTaskGroup(of: Void.self) { group in
        for _ in 0..<100 {
          group.addTask {
            _ = try? await calls.run(until: .now + .seconds(60)) { release.wait() }
            ended.add()
          }
        }
      }
    }
    for _ in 0..<20 { await Task { await Task.yield() }.value }
    let onQueue = await withCheckedContinuation { continuation in DispatchQueue.global().async { continuation.resume(returning: true) } }
    #expect(onQueue && ended.value == 0, "all of that came before any call reached its deadline")
    for _ in 0..<100 { release.signal() }
    await hanging.value
  }
}
