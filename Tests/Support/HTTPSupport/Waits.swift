import HTTP
import Synchronization

/// Waits that were asked for; nobody sleeps.
package final class Waits: Sendable {
  private let waits = Mutex<[Duration]>([])
  package init() {}
  package var all: [Duration] { waits.withLock { $0 } }

  /// Settings of a client that asks for its waits here. `now` are seconds since 1970.
  package func settings(now: Int64 = 1_800_000_000) -> HTTPSettings {
    var settings = HTTPSettings()
    settings.proxy = .none
    settings.time.now = { now }
    settings.time.sleep = { duration in
      try Task.checkCancellation()
      self.waits.withLock { $0.append(duration) }
    }
    return settings
  }
}
