import BoundedConcurrency
import Dispatch
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct OrderedPipelineTests {
  struct Broken: Error, Equatable { var piece: Int }

  @Test func keepsTheOrderOfThePieces() async throws {
    let products = try await BlockingWork.run {
      let last = DispatchSemaphore(value: 0)
      let pipeline = OrderedPipeline<Int, Int, Never>(limit: 3) { piece in
        // The first one ends last.
        if piece == 0 { last.wait() }
        if piece == 2 { last.signal() }
        return piece * 10
      }
      var products: [Int] = []
      for piece in 0..<20 { products += pipeline.submit(piece) }
      while let product = pipeline.next() { products.append(product) }
      return products
    }
    #expect(products == (0..<20).map { $0 * 10 })
  }

  @Test func worksOnSoManyAtOnceAndNoMore() async throws {
    let most = try await BlockingWork.run {
      let underWay = Mutex((now: 0, most: 0))
      let both = DispatchSemaphore(value: 0)
      let pipeline = OrderedPipeline<Int, Void, Never>(limit: 2) { piece in
        underWay.withLock {
          $0.now += 1
          $0.most = max($0.most, $0.now)
        }
        // Pairs wait for each other.
        if piece % 2 == 0 { both.wait() } else { both.signal() }
        underWay.withLock { $0.now -= 1 }
      }
      var taken = 0
      for piece in 0..<10 { taken += pipeline.submit(piece).count }
      #expect(taken == 8)
      while pipeline.next() != nil { taken += 1 }
      #expect(taken == 10)
      return underWay.withLock { $0.most }
    }
    #expect(most == 2)
  }

  @Test func throwsAnErrorWhenItIsItsTurn() throws {
    let pipeline = OrderedPipeline<Int, Int, Broken>(limit: 2) { (piece) throws(Broken) in
      if piece == 1 { throw Broken(piece: piece) }
      return piece
    }
    #expect(try pipeline.submit(0) == [])
    #expect(try pipeline.submit(1) == [])
    #expect(try pipeline.submit(2) == [0])
    #expect(throws: Broken(piece: 1)) { try pipeline.submit(3) }
    #expect(try pipeline.next() == 2)
    #expect(try pipeline.next() == nil)
  }

  @Test func putsFinishedProductsInTheirPlace() throws {
    let pipeline = OrderedPipeline<Int, String, Broken>(limit: 1, passLimit: 2) { "made \($0)" }
    #expect(try pipeline.submit(0) == [])
    #expect(try pipeline.pass("ready 1") == [])
    #expect(try pipeline.pass("ready 2") == [])
    // Neither the piece nor a finished product may wait any longer.
    #expect(try pipeline.pass("ready 3") == ["made 0", "ready 1"])
    #expect(try pipeline.submit(4) == [])
    #expect(try pipeline.submit(5) == ["ready 2", "ready 3", "made 4"])
    #expect(try pipeline.next() == "made 5")
    #expect(try pipeline.next() == nil)
  }
}
