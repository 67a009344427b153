import BoundedConcurrency
import Dispatch
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct ParallelMapTests {
  struct Broken: Error, Equatable { var element: Int }

  @Test func keepsTheOrderOfTheElements() async throws {
    let results = try await BlockingWork.run {
      let last = DispatchSemaphore(value: 0)
      return [0, 1, 2].parallelMap(workers: 2) { element in
        // The first one ends last.
        if element == 0 { last.wait() }
        if element == 2 { last.signal() }
        return element * 10
      }
    }
    #expect(results == [0, 10, 20])
    let none = [Int]().parallelMap(workers: 0) { $0 }
    #expect(none == [])
  }

  @Test func beginsWithTheLargest() {
    let seen = Mutex<[Int]>([])
    let results = [0, 1, 2, 3].parallelMap(workers: 1, largestFirst: [5, 70, 70, 9]) { element in
      seen.withLock { $0.append(element) }
      return element
    }
    #expect(results == [0, 1, 2, 3])
    #expect(seen.withLock { $0 } == [1, 2, 3, 0])
  }

  /// The error of the first failed element, though another one failed before it in time.
  @Test func throwsTheFirstErrorInOrder() async throws {
    let error = try await BlockingWork.run {
      let later = DispatchSemaphore(value: 0)
      return #expect(throws: Broken.self) {
        try [0, 1, 2, 3].parallelMap(workers: 2, largestFirst: [9, 8, 7, 6]) { (element) throws(Broken) in
          if element == 0 { later.wait() }
          if element == 1 { later.signal() }
          throw Broken(element: element)
        }
      }
    }
    #expect(error == Broken(element: 0))
  }

  @Test func afterAnErrorOnlyEarlierElementsAreBegun() {
    let seen = Mutex<[Int]>([])
    let error = #expect(throws: Broken.self) {
      try [0, 1, 2, 3, 4].parallelMap(workers: 1, largestFirst: [1, 5, 9, 3, 4]) { element in
        seen.withLock { $0.append(element) }
        if element == 2 || element == 0 { throw Broken(element: element) }
      }
    }
    #expect(error == Broken(element: 0))
    // 2 fails; 4 and 3 come after it in the input, 1 and 0 before it.
    #expect(seen.withLock { $0 } == [2, 1, 0])
  }

  @Test func aToolIsHeldByOneWorkerAtATime() {
    final class Tool: Sendable {
      let isHeld = Mutex(false)
      let uses = Atomic(0)
    }
    let tools = [Tool(), Tool(), Tool()]
    let wasShared = Atomic(false)
    _ = Array(0..<3000).parallelMap(holding: tools) { (_, tool) in
      let wasHeld = tool.isHeld.withLock { held in
        defer { held = true }
        return held
      }
      if wasHeld { wasShared.store(true, ordering: .relaxed) }
      tool.uses.wrappingAdd(1, ordering: .relaxed)
      tool.isHeld.withLock { $0 = false }
    }
    let isShared = wasShared.load(ordering: .relaxed)
    #expect(!isShared)
    #expect(tools.map { $0.uses.load(ordering: .relaxed) }.reduce(0, +) == 3000)
  }
}
