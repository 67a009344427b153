/// One thread that waits for foreign descriptors (of C libraries, of child processes) and runs what their owners do about them.
///
/// An actor that owns such descriptors returns ``unownedExecutor`` as its own: then all of it runs on the thread, and it may watch. Jobs, blocks
/// and handlers must not block, and should move a bounded amount of bytes: all others wait meanwhile. One turn of the loop runs what was posted before
/// it, in order, then looks at all descriptors and deadlines and calls the handlers of those that are due.
///
/// The thread ends with the last reference, after everything that was posted has run; so keep the loop as long as anything may be posted to it.
/// There is one loop for each kind of work and not one for the program: encryption keeps a core busy for as long as bytes come, and what a C library does
/// in one call nobody can interrupt. With threads of their own, a download cannot make the sessions to the hosts wait.
package final class DescriptorLoop: Sendable {
  package typealias Handler = DescriptorEvents.Handler

  private let thread: LoopThread

  /// Starts the thread. `name` is shown by `top -H` and debuggers, at most 15 bytes of it.
  package init(name: String) throws(EventLoopError) {
    thread = try LoopThread(name: name)
    try thread.start()
  }

  deinit { thread.end() }

  // MARK: From any thread

  /// For actors whose state belongs to the loop's thread. Such an actor must hold the loop.
  package var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

  /// Whether the caller runs on the loop's thread.
  package var isCurrent: Bool { thread.isIsolatingCurrentContext() == true }

  /// Runs a block on the loop's thread, after everything that was posted before it.
  package func perform(_ block: @escaping @Sendable () -> Void) { thread.perform(block) }

  /// Lets everybody else on the loop have a turn. For an actor of the loop that has more to do than one turn should take.
  package func nextTurn(isolation: isolated (any Actor)? = #isolation) async {
    await withCheckedContinuation(isolation: isolation) { continuation in perform { continuation.resume() } }
  }

  // MARK: Only on the loop's thread

  /// The number of the turn that runs now.
  package var turn: UInt64 { thread.turn }

  /// Calls back once, when one of the events is true of the descriptor or the deadline has come; replaces an earlier watch of this descriptor.
  ///
  /// The descriptor stays the caller's, who must take the watch back before closing it, unless it has fired. What cannot be watched is reported:
  /// a file is always ready, anything else is ``DescriptorEvents/invalid``.
  package func watch(
    _ descriptor: Int32, for events: DescriptorEvents, until deadline: ContinuousClock.Instant? = nil, handler: @escaping Handler
  ) {
    thread.ownWatches.watch(descriptor, for: events, until: deadline, handler: handler)
  }

  /// Takes a watch back; nothing if there is none. Its handler is not called any more.
  package func unwatch(_ descriptor: Int32) { thread.ownWatches.unwatch(descriptor) }

  /// Calls back once when the moment has come; replaces an earlier moment of this timer.
  package func set(_ timer: LoopTimer, at moment: ContinuousClock.Instant, handler: @escaping () -> Void) {
    thread.ownWatches.set(timer, at: moment, handler: handler)
  }

  /// Takes a timer back; nothing if it is not set.
  package func cancel(_ timer: LoopTimer) { thread.ownWatches.cancel(timer) }
}
