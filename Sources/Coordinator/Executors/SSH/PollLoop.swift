import CSSH2
import Glibc
import Synchronization

/// One thread that runs the jobs of all session and child process actors and polls their descriptors.
///
/// It lives as long as the program: make one and share it. Jobs must not block, they only move bytes that are there.
package final class PollLoop: SerialExecutor {
  /// Called on the loop's thread with poll's answer, or with 0 when the deadline came first. It fires once.
  typealias Handler = (_ revents: Int16) -> Void

  private struct Inbox {
    var jobs: [UnownedJob] = []
    var blocks: [@Sendable () -> Void] = []
    var isAwake = true
  }
  private struct Watch {
    var events: Int16
    var deadline: ContinuousClock.Instant?
    var handler: Handler
  }

  private let inbox = Mutex(Inbox())
  private let wakeup: Int32
  // Both belong to the loop's thread; the thread writes `thread` before it runs any job.
  nonisolated(unsafe) private var watches: [Int32: Watch] = [:]
  nonisolated(unsafe) private var thread: pthread_t = 0

  /// Starts the thread; throws ``ExecutorError/local`` when the system has none left.
  package init() throws {
    _ = Self.libraryReady
    wakeup = eventfd(0, Int32(EFD_NONBLOCK) | Int32(EFD_CLOEXEC))
    guard wakeup >= 0 else { throw ExecutorError.local(operation: "eventfd", path: "", errno: errno) }
    var thread: pthread_t = 0
    let code = pthread_create(
      &thread, nil,
      { argument in
        guard let argument else { return nil }
        Unmanaged<PollLoop>.fromOpaque(argument).takeRetainedValue().run()
        return nil
      }, Unmanaged.passRetained(self).toOpaque())
    guard code == 0 else { throw ExecutorError.local(operation: "start a thread", path: "", errno: code) }
    pthread_detach(thread)
  }

  /// libssh2 must be set up once, before any second thread uses it.
  private static let libraryReady: Bool = libssh2_init(0) == 0

  package func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    post { $0.jobs.append(job) }
  }

  package func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }
  package func checkIsolated() { precondition(pthread_equal(pthread_self(), thread) != 0, "not on the poll loop's thread") }
  package func isIsolatingCurrentContext() -> Bool? { pthread_equal(pthread_self(), thread) != 0 }

  /// Runs a block on the loop's thread; from any thread.
  func perform(_ block: @escaping @Sendable () -> Void) { post { $0.blocks.append(block) } }

  /// Replaces what is watched on a descriptor. Only on the loop's thread.
  func watch(_ descriptor: Int32, events: Int16, deadline: ContinuousClock.Instant?, handler: @escaping Handler) {
    watches[descriptor] = Watch(events: events, deadline: deadline, handler: handler)
  }

  /// Only on the loop's thread, and before the descriptor is closed.
  func unwatch(_ descriptor: Int32) { watches[descriptor] = nil }

  private func post(_ change: (inout Inbox) -> Void) {
    let mustWake = inbox.withLock { inbox in
      change(&inbox)
      defer { inbox.isAwake = true }
      return !inbox.isAwake
    }
    if mustWake { eventfd_write(wakeup, 1) }
  }

  private func run() {
    thread = pthread_self()
    let executor = asUnownedSerialExecutor()
    while true {
      let (jobs, blocks) = inbox.withLock { inbox in
        defer {
          inbox.jobs.removeAll(keepingCapacity: true)
          inbox.blocks.removeAll(keepingCapacity: true)
        }
        return (inbox.jobs, inbox.blocks)
      }
      for block in blocks { block() }
      for job in jobs { job.runSynchronously(on: executor) }
      let isIdle = inbox.withLock { inbox in
        inbox.isAwake = !(inbox.jobs.isEmpty && inbox.blocks.isEmpty)
        return !inbox.isAwake
      }
      pollOnce(mayWait: isIdle)
    }
  }

  private func pollOnce(mayWait: Bool) {
    var descriptors = [pollfd(fd: wakeup, events: Int16(POLLIN), revents: 0)]
    var next: ContinuousClock.Instant?
    for (descriptor, watch) in watches {
      descriptors.append(pollfd(fd: descriptor, events: watch.events, revents: 0))
      if let deadline = watch.deadline, deadline < next ?? deadline + .seconds(1) { next = deadline }
    }
    poll(&descriptors, nfds_t(descriptors.count), mayWait ? Self.milliseconds(until: next) : 0)
    inbox.withLock { $0.isAwake = true }
    if descriptors[0].revents != 0 {
      var value: eventfd_t = 0
      eventfd_read(wakeup, &value)
    }
    let now = ContinuousClock.now
    for entry in descriptors.dropFirst() {
      guard let watch = watches[entry.fd] else { continue }
      let isLate = watch.deadline.map { $0 <= now } ?? false
      if entry.revents != 0 || isLate {
        watches[entry.fd] = nil
        watch.handler(entry.revents)
      }
    }
  }

  private static func milliseconds(until deadline: ContinuousClock.Instant?) -> Int32 {
    guard let deadline else { return -1 }
    let left = (deadline - ContinuousClock.now) / Duration.milliseconds(1)
    return Int32(max(0, min(60_000, left.rounded(.up))))
  }
}
