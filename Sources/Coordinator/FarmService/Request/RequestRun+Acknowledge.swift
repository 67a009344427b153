import BuildModel
import Executors

extension RequestRun {
  /// Seconds that the end of a request waits until hosts have heard that their outcomes are stored here.
  private static let patience = 5

  /// Notes that nothing more is wanted of an attempt, and tells its host beside the run.
  func acknowledge(_ attempt: AttemptID, on host: HostName, in group: inout ThrowingTaskGroup<Finished, any Error>) async throws {
    try await context.store.noteCollected(attempt)
    guard let client = await pool.client(host) else { return }
    let acknowledgements = Acknowledgements(store: context.store)
    contact(in: &group) { await acknowledgements.tell(attempt, host: host, client: client) }
  }

  /// Tells hosts that have just answered what they were not told before.
  func acknowledge(to hosts: [HostName], in group: inout ThrowingTaskGroup<Finished, any Error>) async {
    let acknowledgements = Acknowledgements(store: context.store)
    for host in hosts {
      guard let client = await pool.client(host) else { continue }
      contact(in: &group) { await acknowledgements.tellAll(host, client: client) }
    }
  }

  private func contact<Value>(in group: inout ThrowingTaskGroup<Finished, any Error>, _ body: @escaping @Sendable () async -> Value) {
    acknowledging += 1
    group.addTask {
      _ = await body()
      return .acknowledged
    }
  }

  /// Waits a little for what is under way; hosts that were not reached hear of it at the next contact.
  func awaitAcknowledgements(in group: inout ThrowingTaskGroup<Finished, any Error>) async throws {
    var ticks = 0
    while acknowledging > 0, ticks < Self.patience, let finished = try await group.next() {
      switch finished {
      case .acknowledged: acknowledging -= 1
      case .tick:
        ticks += 1
        addTick(to: &group)
      case .attempt, .delivered, .probed: break
      }
    }
  }
}
