import BuildModel
import Executors
import Store

/// Tells hosts that nothing more is wanted of an attempt's outcome, so that they may let go of it.
///
/// Nothing depends on a host hearing it: what it has not heard is sent again at the next contact, at most ``atOnce`` attempts each time.
struct Acknowledgements: Sendable {
  let store: StateStore

  /// Attempts that one contact with a host may settle.
  private static let atOnce = 32

  /// How a host took it.
  enum Answer {
    case knows
    /// It has something against it: the attempt still runs there, its disk is broken.
    case refuses
    case isAway
  }

  /// Tells an attempt's host. That nothing more is wanted was noted before.
  @discardableResult
  func tell(_ attempt: AttemptID, host: HostName, client: WorkerClient) async -> Answer {
    do {
      // What was built on this machine stays there to be looked at.
      try await client.acknowledge(attempt, keepsTree: host == HostPool.localName)
    } catch ExecutorError.unknownAttempt {
      // Whoever does not know it holds nothing of it.
    } catch ExecutorError.remote {
      return .refuses
    } catch {
      return .isAway
    }
    return (try? await store.noteAcknowledged(attempt)) == nil ? .refuses : .knows
  }

  /// Tells a host what it was not told before; returns how many outcomes it lets go of.
  @discardableResult
  func tellAll(_ host: HostName, client: WorkerClient) async -> Int {
    guard let owed = try? await store.unacknowledged(on: host, limit: Self.atOnce) else { return 0 }
    var told = 0
    for attempt in owed {
      switch await tell(attempt, host: host, client: client) {
      case .knows: told += 1
      case .refuses: continue
      case .isAway: return told
      }
    }
    return told
  }
}
