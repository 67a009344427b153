extension Collection where Self: Sendable, Element: Sendable {
  /// Runs `body` for every element in tasks of their own, at most `limit` at once (at least one), and returns the results in the elements' order.
  ///
  /// The first error cancels what is running, and nothing more is started; it is thrown when all that ran has ended. Where `body` may throw any error,
  /// a cancelled caller starts nothing more either, and gets a `CancellationError`. Where `body` throws nothing, it runs for every element and all
  /// results are kept; it should look for cancellation itself.
  @discardableResult
  package func concurrentMap<Value: Sendable, Failure: Error>(
    atOnce limit: Int, _ body: @escaping @Sendable (Element) async throws(Failure) -> Value
  ) async throws(Failure) -> [Value] {
    let outcome: Result<[Value], Failure> = await withTaskGroup(of: (Int, Result<Value, Failure>).self) { group in
      var rest = enumerated().makeIterator()
      var values: [(index: Int, value: Value)] = []
      var failure: Failure?
      func startNext() {
        guard failure == nil, let (index, element) = rest.next() else { return }
        if Task.isCancelled, let cancellation = CancellationError() as? Failure {
          failure = cancellation
          return
        }
        group.addTask {
          do throws(Failure) { return (index, .success(try await body(element))) } catch { return (index, .failure(error)) }
        }
      }
      for _ in 0..<Swift.min(Swift.max(1, limit), count) { startNext() }
      while let (index, result) = await group.next() {
        switch result {
        case .success(let value): values.append((index, value))
        case .failure(let error):
          failure = failure ?? error
          group.cancelAll()
        }
        startNext()
      }
      if let failure { return .failure(failure) }
      return .success(values.sorted { $0.index < $1.index }.map(\.value))
    }
    return try outcome.get()
  }
}
