import CLinux
import Glibc
import Synchronization

/// The thread of a ``DescriptorLoop``, and what others leave for it.
///
/// Apart from the loop that its users hold, because the thread holds this and must not keep the loop alive.
final class LoopThread: SerialExecutor {
  private enum Work {
    case job(UnownedJob)
    case block(@Sendable () -> Void)
  }
  /// As long as there are tasks and callbacks that want something of the loop: whoever posts, posts one thing and waits for it.
  private struct Inbox {
    var work: [Work] = []
    /// False while the thread waits, or is about to: who posts something then must wake it.
    var isAwake = true
    var isEnding = false
  }

  private let inbox = Mutex(Inbox())
  private let poll: DescriptorPoll
  /// pthread_self() of the thread; 0 before it runs, when nothing has run on it yet.
  private let identity = Atomic<UInt>(0)
  // Belongs to the thread: `watches` is private, and every way to it below checks the thread first.
  private nonisolated(unsafe) let watches: WatchTable
  private nonisolated(unsafe) var turns: UInt64 = 0

  private let name: String

  init(name: String) throws(EventLoopError) {
    self.name = name
    poll = try DescriptorPoll()
    watches = WatchTable(poll: poll)
  }

  func start() throws(EventLoopError) {
    var thread: pthread_t = 0
    let code = pthread_create(
      &thread, nil,
      { argument in
        guard let argument else { return nil }
        Unmanaged<LoopThread>.fromOpaque(argument).takeRetainedValue().run()
        return nil
      }, Unmanaged.passRetained(self).toOpaque())
    guard code == 0 else {
      Unmanaged.passUnretained(self).release()
      throw EventLoopError(operation: "start a thread", errno: code)
    }
    pthread_detach(thread)
  }

  /// Ends the thread when everything that was posted has run.
  func end() { post { $0.isEnding = true } }

  // MARK: From any thread

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    post { $0.work.append(.job(job)) }
  }

  func perform(_ block: @escaping @Sendable () -> Void) { post { $0.work.append(.block(block)) } }

  func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }
  func isIsolatingCurrentContext() -> Bool? { identity.load(ordering: .acquiring) == pthread_self() }
  func checkIsolated() { precondition(isIsolatingCurrentContext() == true, "not on the thread of the event loop") }

  private func post(_ change: (inout Inbox) -> Void) {
    let mustWake = inbox.withLock { inbox in
      change(&inbox)
      defer { inbox.isAwake = true }
      return !inbox.isAwake
    }
    if mustWake { poll.wake() }
  }

  // MARK: On the thread

  /// What the loop waits for. The result must not leave the thread.
  var ownWatches: WatchTable {
    checkIsolated()
    return watches
  }

  var turn: UInt64 {
    checkIsolated()
    return turns
  }

  private func run() {
    blockfarm_name_thread(name)
    blockPipeSignal()
    identity.store(pthread_self(), ordering: .releasing)
    var batch: [Work] = []
    while true {
      turns += 1
      let isEnding = inbox.withLock { inbox in
        swap(&inbox.work, &batch)
        return inbox.isEnding
      }
      if isEnding, batch.isEmpty { return }
      // What is posted meanwhile has to wait until all descriptors were looked at.
      let executor = asUnownedSerialExecutor()
      for work in batch {
        switch work {
        case .job(let job): job.runSynchronously(on: executor)
        case .block(let block): block()
        }
      }
      batch.removeAll(keepingCapacity: true)
      let isIdle = inbox.withLock { inbox in
        inbox.isAwake = !inbox.work.isEmpty || inbox.isEnding
        return !inbox.isAwake
      }
      watches.wait(mayBlock: isIdle)
      inbox.withLock { $0.isAwake = true }
    }
  }

  /// A peer that closes its end must not end the program: TLS libraries write without MSG_NOSIGNAL.
  private func blockPipeSignal() {
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
  }
}
