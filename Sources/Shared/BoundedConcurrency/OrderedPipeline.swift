import Dispatch
import Synchronization

/// A stream of pieces on which several threads work at once, while one thread hands them in and takes the products, in the order of the pieces.
///
/// Memory is bounded: at most `limit` pieces or their products are held, and `passLimit` of those that needed no work. The thread that uses it may be
/// blocked. Where it is given up before its end, the pieces under way are still worked on and dropped.
package final class OrderedPipeline<Piece: Sendable, Product: Sendable, Failure: Error> {
  private final class Job: Sendable {
    private let result = Mutex<Result<Product, Failure>?>(nil)
    private let isDone = DispatchSemaphore(value: 0)

    func end(with result: Result<Product, Failure>) {
      self.result.withLock { $0 = result }
      isDone.signal()
    }

    /// Waits for the end; to be called once.
    func product() throws(Failure) -> Product? {
      isDone.wait()
      return try result.withLock { $0 }?.get()
    }
  }
  private enum Entry {
    case job(Job)
    case product(Product)
  }

  private let limit: Int
  private let passLimit: Int
  private let work: @Sendable (Piece) throws(Failure) -> Product
  private var entries: ArraySlice<Entry> = []
  private var jobs = 0

  /// `limit` is at least one; with one more than there are processors, none of them waits for the thread that takes the products.
  package init(
    limit: Int = Processors.available + 1, passLimit: Int = 1024, work: @escaping @Sendable (Piece) throws(Failure) -> Product
  ) {
    self.limit = max(1, limit)
    self.passLimit = max(1, passLimit)
    self.work = work
  }

  /// Hands in a piece; returns the products that had to make room for it. Throws the error of an earlier piece when it is that one's turn.
  package func submit(_ piece: Piece) throws(Failure) -> [Product] {
    let due = try makeRoom { jobs < limit }
    let job = Job()
    entries.append(.job(job))
    jobs += 1
    let work = work
    pool.async { job.end(with: Result { () throws(Failure) in try work(piece) }) }
    return due
  }

  /// Puts in a product that needs no work, at this place in the order.
  package func pass(_ product: Product) throws(Failure) -> [Product] {
    let due = try makeRoom { entries.count - jobs < passLimit }
    entries.append(.product(product))
    return due
  }

  /// Waits for the oldest product; nil when there is none left.
  package func next() throws(Failure) -> Product? {
    switch entries.popFirst() {
    case nil: return nil
    case .product(let product): return product
    case .job(let job):
      jobs -= 1
      return try job.product()
    }
  }

  private func makeRoom(_ hasRoom: () -> Bool) throws(Failure) -> [Product] {
    var due: [Product] = []
    while !hasRoom(), let product = try next() { due.append(product) }
    return due
  }
}

private let pool = DispatchQueue(label: "blockfarm.pipeline", attributes: .concurrent)
