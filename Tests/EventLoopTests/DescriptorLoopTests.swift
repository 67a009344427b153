import Dispatch
import Glibc
import Synchronization
import Testing

@testable import EventLoop

/// State that belongs to a loop's thread.
private actor Resident {
  private let loop: DescriptorLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.unownedExecutor }
  var count = 0

  init(_ loop: DescriptorLoop) { self.loop = loop }

  func add(_ step: Int = 1) { count += step }

  var isAtHome: Bool { loop.isCurrent }

  /// Posts jobs and blocks by turns.
  func post(_ number: Int, _ journal: Journal<Int>) {
    for step in 0..<number {
      if step % 3 == 0 { loop.perform { journal.add(step) } } else { Task { note(step, journal) } }
    }
  }

  private func note(_ step: Int, _ journal: Journal<Int>) { journal.add(step) }

  /// Has always something to do; says whether somebody else on the loop has had a turn meanwhile.
  func work(on pipe: Pair, _ noticed: Journal<Bool>) async -> Bool {
    for _ in 0..<10 { await loop.nextTurn() }
    pipe.put()
    await loop.nextTurn()
    return noticed.all == [true]
  }
}

@Suite(.timeLimit(.minutes(1)))
struct DescriptorLoopTests {
  @Test func runsWhatIsPostedInOrder() async throws {
    let loop = try DescriptorLoop(name: "order-test")
    let journal = Journal<Int>()
    await Resident(loop).post(300, journal)
    #expect(journal.wait(for: 300) == Array(0..<300))
  }

  @Test func knowsItsThread() async throws {
    let loop = try DescriptorLoop(name: "isolation-test")
    let resident = Resident(loop)
    #expect(!loop.isCurrent)
    #expect(await resident.isAtHome)
    #expect(await loop.run { loop.isCurrent })
    // A block and a handler are on the actor as well, and on every other one of the loop.
    loop.perform { resident.assumeIsolated { $0.add() } }
    let pipe = try Pair.pipe()
    pipe.put()
    let fired = Journal<Bool>()
    loop.perform {
      loop.watch(pipe.reading, for: .readable) { _ in
        resident.assumeIsolated { $0.add(2) }
        fired.add(true)
      }
    }
    #expect(fired.wait(for: 1) == [true])
    #expect(await resident.count == 3)
    let other = try DescriptorLoop(name: "other-loop")
    #expect(await other.run { !loop.isCurrent && other.isCurrent })
  }

  @Test func watchingFromAnotherThreadIsRefused() async {
    await #expect(processExitsWith: .failure) {
      let loop = try DescriptorLoop(name: "misuse-test")
      loop.watch(0, for: .readable) { _ in }
    }
  }

  @Test func isPostedToByManyThreads() async throws {
    let loop = try DescriptorLoop(name: "posting-test")
    let resident = Resident(loop)
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<8 {
        group.addTask {
          for _ in 0..<2_000 {
            loop.perform { resident.assumeIsolated { $0.add() } }
            await resident.add()
          }
        }
      }
    }
    #expect(await loop.run { resident.assumeIsolated { $0.count } } == 32_000)
  }

  /// The loop falls asleep between any two of them: one lost wake-up and this never ends.
  @Test func neverMissesAWakeUp() async throws {
    let loop = try DescriptorLoop(name: "wakeup-test")
    let answer = DispatchSemaphore(value: 0)
    let all = await withCheckedContinuation { continuation in
      DispatchQueue.global().async {
        for number in 0..<20_000 {
          loop.perform { answer.signal() }
          guard answer.wait(timeout: .now() + 10) == .success else { return continuation.resume(returning: number) }
        }
        continuation.resume(returning: 20_000)
      }
    }
    #expect(all == 20_000)
  }

  @Test func whoHasMuchToDoLetsOthersGoFirst() async throws {
    let loop = try DescriptorLoop(name: "turns-test")
    let (pipe, done) = (try Pair.pipe(), Journal<Bool>())
    await loop.run { loop.watch(pipe.reading, for: .readable) { _ in done.add(true) } }
    #expect(await Resident(loop).work(on: pipe, done))
    let first = await loop.run { loop.turn }
    await loop.nextTurn()
    #expect(await loop.run { loop.turn } > first)
  }

  @Test func brokenPipesEndNobody() async throws {
    let loop = try DescriptorLoop(name: "signal-test")
    let code = await loop.run {
      var ends: [Int32] = [-1, -1]
      guard pipe(&ends) == 0 else { return Int32(0) }
      close(ends[0])
      defer { close(ends[1]) }
      return write(ends[1], [1], 1) < 0 ? errno : 0
    }
    #expect(code == EPIPE)
  }

  /// Also when the last reference goes on the thread itself, in a block.
  @Test(arguments: [true, false]) func endsWithTheLastReference(inside: Bool) async throws {
    let (ended, ran, gate) = (Journal<Bool>(), Journal<Bool>(), DispatchSemaphore(value: 0))
    let pipe = try Pair.pipe()
    func useOnce() throws {
      let loop = try DescriptorLoop(name: "end-test")
      // The loop holds the handler, and with it the marker.
      let marker = Marker { ended.add(true) }
      loop.perform { [weak loop] in
        loop?.watch(pipe.reading, for: .readable) { _ in withExtendedLifetime(marker) {} }
        gate.wait()
      }
      loop.perform { [loop = inside ? loop : nil] in withExtendedLifetime(loop) { ran.add(ended.all.isEmpty) } }
    }
    try useOnce()
    #expect(ran.all == [])
    gate.signal()
    #expect(ended.wait(for: 1) == [true])
    // What was posted before the end has run before it.
    #expect(ran.all == [true])
  }

  @Test func saysWhatTheSystemRefuses() throws {
    #expect("\(EventLoopError(operation: "start a thread", errno: EAGAIN))" == "cannot start a thread: Resource temporarily unavailable")
  }
}
