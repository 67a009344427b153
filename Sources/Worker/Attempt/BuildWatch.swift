import Glibc
import Processes
import Yocto

/// Decides while a build runs whether to go on waiting for it.
struct BuildWatch {
  /// Seconds between two looks at the processes, and of quiet before the first.
  private static let interval = 20.0

  private let tree: ProcessTree
  private let silentSeconds: Double
  private var lastLife = MonotonicClock.now
  private var lastLook = MonotonicClock.now
  private var server = BitbakeServerWatch()
  /// Whether the wait ended because bitbake's server is gone.
  private(set) var isServerGone = false

  init(tree: ProcessTree, silentSeconds: Double) {
    self.tree = tree
    self.silentSeconds = silentSeconds
  }

  /// A line showed that something goes on.
  mutating func sawLife() { lastLife = MonotonicClock.now }

  /// How the run ended, where it must not be waited for any longer.
  mutating func verdict() -> ChildEnd? {
    let now = MonotonicClock.now
    if now - lastLife >= silentSeconds { return .silent }
    guard now - max(lastLife, lastLook) >= Self.interval else { return nil }
    lastLook = now
    isServerGone = server.isGone(roles: BitbakeServerWatch.roles(of: tree.members(of: getpid())), now: now)
    return isServerGone ? .silent : nil
  }
}
