import HTTPTypes

/// Counts the requests of both servers, hands out faults, and lets tests wait for a request or act at one.
package actor Traffic {
  package struct Entry: Hashable, Sendable {
    /// From 1, over both servers.
    package let number: Int
    package let server: CloudServer
    package let method: HTTPRequest.Method
    /// Path and query as sent.
    package let target: String
    /// nil until it was carried out; 0 when nothing was done and the connection was closed.
    package var status: Int?
  }

  /// The last so many entries are kept; numbers go on.
  private static let kept = 50_000

  package private(set) var entries: [Entry] = []
  package private(set) var count = 0
  private var ended = 0
  private var faults: [Fault] = []
  private var hooks: [Int: @Sendable (Entry) async -> Void] = [:]
  private var waiters: [(count: Int, id: Int, continuation: CheckedContinuation<Bool, Never>)] = []
  private var nextWaiter = 0

  package init() {}

  /// Adds a fault; of several that hit a request, the one added first has the word.
  package func inject(_ fault: Fault) { faults.append(fault) }
  package func removeFaults() { faults = [] }

  /// Runs `body` when the request with this number was carried out, before its reply is sent. The reply waits for `body`.
  package func afterRequest(_ number: Int, _ body: @escaping @Sendable (Entry) async -> Void) { hooks[number] = body }

  /// Forgets entries and starts counting again from 1; faults and hooks go as well.
  package func reset() {
    (entries, count, ended, faults, hooks) = ([], 0, 0, [], [:])
  }

  /// Waits until so many requests were carried out.
  package func waitForRequests(_ wanted: Int, seconds: Double = 30) async throws(TestCloudError) {
    if ended >= wanted { return }
    let id = nextWaiter
    nextWaiter += 1
    let limit = Task {
      try await Task.sleep(for: .seconds(seconds))
      giveUp(id)
    }
    let came = await withCheckedContinuation { waiters.append((wanted, id, $0)) }
    limit.cancel()
    guard came else { throw .timedOut(what: "request \(wanted)", seen: count) }
  }

  private func giveUp(_ id: Int) {
    guard let index = waiters.firstIndex(where: { $0.id == id }) else { return }
    waiters.remove(at: index).continuation.resume(returning: false)
  }

  func begin(_ server: CloudServer, _ request: HTTPRequest) -> (number: Int, effect: Fault.Effect?) {
    count += 1
    entries.append(Entry(number: count, server: server, method: request.method, target: request.path ?? "/"))
    if entries.count > Self.kept { entries.removeFirst(Self.kept / 10) }
    var effect: Fault.Effect?
    for index in faults.indices where effect == nil { effect = faults[index].hit(server, request, number: count) }
    return (count, effect)
  }

  func end(_ number: Int, status: Int) async {
    guard let index = entries.firstIndex(where: { $0.number == number }) else { return }
    entries[index].status = status
    ended += 1
    if let hook = hooks.removeValue(forKey: number) { await hook(entries[index]) }
    for waiter in waiters where waiter.count <= ended { waiter.continuation.resume(returning: true) }
    waiters.removeAll { $0.count <= ended }
  }
}
