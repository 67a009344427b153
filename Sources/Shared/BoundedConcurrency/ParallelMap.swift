import Dispatch
import Synchronization

extension Array where Element: Sendable {
  /// Runs `body` for every element on threads of their own, one per worker, and returns the results in the elements' order. Blocks the calling thread,
  /// which must therefore be none of Swift's own (see ``BlockingWork``).
  ///
  /// Elements are begun in their order, or by descending `sizes` (one per element): the last one to end decides how long it all takes. After an error
  /// only elements before the failed one are still begun, so that the error thrown is always that of the first element that fails, however the
  /// threads run.
  package func parallelMap<Value: Sendable, Failure: Error>(
    workers: Int = Processors.available, largestFirst sizes: [Int64]? = nil, _ body: @Sendable (Element) throws(Failure) -> Value
  ) throws(Failure) -> [Value] {
    try parallelMap(holding: [Void](repeating: (), count: Swift.max(1, workers)), largestFirst: sizes) { (element, _) throws(Failure) in
      try body(element)
    }
  }

  /// With something that each worker holds for itself, for example a scratch file: as many workers as there are tools, which must not be none.
  package func parallelMap<Tool: Sendable, Value: Sendable, Failure: Error>(
    holding tools: [Tool], largestFirst sizes: [Int64]? = nil, _ body: @Sendable (Element, Tool) throws(Failure) -> Value
  ) throws(Failure) -> [Value] {
    let results = Mutex(OrderedResults<Value, Failure>(order: order(by: sizes)))
    DispatchQueue.concurrentPerform(iterations: Swift.min(tools.count, count)) { worker in
      while let index = results.withLock({ $0.next() }) {
        let result = Result { () throws(Failure) in try body(self[index], tools[worker]) }
        results.withLock { $0.note(result, at: index) }
      }
    }
    return try results.withLock { (results) throws(Failure) in try results.values() }
  }

  private func order(by sizes: [Int64]?) -> [Int] {
    guard let sizes else { return Array<Int>(indices) }
    return indices.sorted { (sizes[$1], $0) < (sizes[$0], $1) }
  }
}

/// Which element is next, and what came of those before.
private struct OrderedResults<Value: Sendable, Failure: Error>: Sendable {
  private var waiting: ArraySlice<Int>
  private var results: [Value?]
  private var failure: (index: Int, error: Failure)?

  init(order: [Int]) {
    waiting = order[...]
    results = Array(repeating: nil, count: order.count)
  }

  mutating func next() -> Int? {
    while let index = waiting.popFirst() {
      if let failure, failure.index < index { continue }
      return index
    }
    return nil
  }

  mutating func note(_ result: Result<Value, Failure>, at index: Int) {
    switch result {
    case .success(let value): results[index] = value
    case .failure(let error): if failure.map({ index < $0.index }) ?? true { failure = (index, error) }
    }
  }

  func values() throws(Failure) -> [Value] {
    if let failure { throw failure.error }
    return results.compactMap { $0 }
  }
}
