import BoundedConcurrency
import Testing

@Suite(.timeLimit(.minutes(1))) struct ConcurrentMapTests {
  struct Broken: Error, Equatable { var element: Int }

  @Test func keepsTheOrderOfTheElements() async throws {
    let second = Gate()
    let results = try await [0, 1, 2].concurrentMap(atOnce: 2) { element in
      // The first one ends last.
      if element == 0 { await second.pass() }
      if element == 2 { await second.open() }
      try Task.checkCancellation()
      return element * 10
    }
    #expect(results == [0, 10, 20])
    let none = await [Int]().concurrentMap(atOnce: 4) { $0 }
    #expect(none == [])
  }

  @Test(arguments: [1, 3]) func runsSoManyAtOnceAndNoMore(_ limit: Int) async {
    let census = Census()
    // Each group of `limit` waits until it is complete: fewer at once would wait for ever.
    let gates = (0..<4).map { _ in Gate(openedBy: limit) }
    await (0..<4 * limit).concurrentMap(atOnce: limit) { element in
      await census.enter(element)
      await gates[element / limit].pass()
      await census.leave()
    }
    #expect(await census.most == limit)
    #expect(await census.seen.count == 4 * limit)
  }

  @Test func runsOneWhereTheLimitIsNone() async {
    let results = await [1, 2].concurrentMap(atOnce: 0) { $0 }
    #expect(results == [1, 2])
  }

  @Test func theFirstErrorCancelsTheOthersAndStartsNothing() async {
    let census = Census()
    let first = Gate()
    let error = await #expect(throws: Broken.self) {
      try await (0..<10).concurrentMap(atOnce: 2) { element in
        await census.enter(element)
        guard element == 0 else {
          await first.pass()
          throw Broken(element: element)
        }
        await first.open()
        // Ends only when it is cancelled.
        try await Task.sleep(for: .seconds(3600))
      }
    }
    #expect(error == Broken(element: 1))
    #expect(await census.seen.sorted() == [0, 1])
  }

  @Test func keepsTheTypeOfItsError() async {
    @Sendable func double(_ element: Int) async throws(Broken) -> Int {
      if element == 2 { throw Broken(element: element) }
      return element
    }
    do throws(Broken) {
      _ = try await [1, 2].concurrentMap(atOnce: 2) { (element) async throws(Broken) in try await double(element) }
      Issue.record("no error")
    } catch {
      #expect(error.element == 2)
    }
  }

  /// Also where the work itself does not look for cancellation.
  @Test func aCancelledCallerStartsNothingMore() async {
    let census = Census()
    let isUnderWay = Gate()
    let end = Gate()
    let caller = Task {
      try await (0..<10).concurrentMap(atOnce: 1) { element in
        await census.enter(element)
        await isUnderWay.open()
        await end.pass()
        if element == 9 { throw Broken(element: element) }
      }
    }
    await isUnderWay.pass()
    caller.cancel()
    await end.open()
    await #expect(throws: CancellationError.self) { try await caller.value }
    #expect(await census.seen == [0])
  }

  @Test func whatThrowsNothingRunsForAll() async {
    let isUnderWay = Gate()
    let end = Gate()
    let caller = Task {
      await (0..<5).concurrentMap(atOnce: 2) { element in
        await isUnderWay.open()
        await end.pass()
        return Task.isCancelled ? -element : element
      }
    }
    await isUnderWay.pass()
    caller.cancel()
    await end.open()
    #expect(await caller.value == [0, -1, -2, -3, -4])
  }
}
