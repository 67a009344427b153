import Synchronization

/// Whether a server may answer that an index is the same as before, and whether one did.
///
/// Such an answer can be wrong: times of files go back and have seconds only. It saves time where all goes well and must not be why a fetch fails.
final class Revalidation: Sendable {
  let isAllowed: Bool
  private let used = Mutex(false)

  init(isAllowed: Bool) { self.isAllowed = isAllowed }

  var wasUsed: Bool { used.withLock { $0 } }
  func noteUse() { used.withLock { $0 = true } }
}
