import CCurl
import EventLoop
import Glibc

/// All transfers of a client through libcurl's multi socket interface: libcurl names the descriptors and the moment that it waits for, the loop
/// waits for them. Everything that belongs to libcurl is used on the loop's thread alone.
///
/// The loop is the client's own. libcurl encrypts within its calls, so a fast transfer keeps the thread busy; nothing but transfers of the same
/// client may have to wait for that.
actor CurlMulti {
  nonisolated let loop: DescriptorLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.unownedExecutor }

  /// nil when it has been closed.
  private var multi: UnsafeMutableRawPointer?
  /// All that have not ended.
  private var transfers: [UInt64: Transfer] = [:]
  private var lastID: UInt64 = 0
  /// Those that libcurl has.
  private var running: [UnsafeMutableRawPointer: UInt64] = [:]
  /// What libcurl waits for; a watch of the loop fires once, so it is renewed as long as this says the same.
  private var wanted: [curl_socket_t: DescriptorEvents] = [:]
  private let timer = LoopTimer()
  private var isClosing = false

  private static let libraryReady = blockfarm_curl_prepare() == CURLE_OK

  /// Starts the thread; throws ``HTTPError/local`` when the system has none left. End it with ``close()``.
  init(connectionsPerHost: Int) throws(HTTPError) {
    do { loop = try DescriptorLoop(name: "blockfarm-http") } catch { throw .local(operation: "start", path: "a thread", errno: error.errno) }
    guard Self.libraryReady, let multi = curl_multi_init() else { throw .local(operation: "set up", path: "libcurl", errno: ENOMEM) }
    self.multi = multi
    blockfarm_curl_multi_set_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, connectionsPerHost)
    blockfarm_curl_multi_set_long(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, 4 * connectionsPerHost)
    blockfarm_curl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, 2 * connectionsPerHost)
    blockfarm_curl_multi_set_wants(
      multi,
      { _, socket, wanted, context, _ in
        CurlMulti.of(context)?.assumeIsolated { $0.want(socket, wanted) }
        return 0
      },
      { _, milliseconds, context in
        CurlMulti.of(context)?.assumeIsolated { $0.want(milliseconds) }
        return 0
      }, Unmanaged.passUnretained(self).toOpaque())
  }

  private static func of(_ context: UnsafeMutableRawPointer?) -> CurlMulti? {
    context.map { Unmanaged<CurlMulti>.fromOpaque($0).takeUnretainedValue() }
  }

  /// Closes the connections when the last transfer has ended; on the loop's thread, because closing one writes to it.
  nonisolated func close() {
    loop.perform {
      self.assumeIsolated {
        $0.isClosing = true
        $0.closeIfIdle()
      }
    }
  }

  private func closeIfIdle() {
    guard isClosing, transfers.isEmpty, let multi else { return }
    curl_multi_cleanup(multi)
    self.multi = nil
    loop.cancel(timer)
  }

  // MARK: Transfers

  /// One exchange, to its end. Cancelling the task ends it at once.
  func run(_ request: HTTPRequest, settings: HTTPSettings, target: Transfer.Target) async -> Transfer.Report {
    lastID += 1
    let id = lastID
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let transfer = Transfer(request, settings: settings, target: target) { taken in
          self.loop.perform { self.assumeIsolated { $0.sinkHas(taken, of: id) } }
        } done: { report in
          self.transfers[id] = nil
          continuation.resume(returning: report)
        }
        transfers[id] = transfer
        start(transfer, id)
        closeIfIdle()
      }
    } onCancel: {
      // After what runs now: a cancellation that came before the transfer began finds it.
      loop.perform { self.assumeIsolated { $0.cancel(id) } }
    }
  }

  private func start(_ transfer: Transfer, _ id: UInt64) {
    if Task.isCancelled { return transfer.cancel() }
    do throws(HTTPError) {
      let handle = try transfer.prepare()
      guard let multi, curl_multi_add_handle(multi, handle) == CURLM_OK else { throw .local(operation: "add", path: "a transfer", errno: EINVAL) }
      running[handle] = id
    } catch {
      transfer.fail(error)
    }
  }

  private func cancel(_ id: UInt64) {
    if let handle = running.first(where: { $0.value == id })?.key { release(handle) }
    transfers[id]?.cancel()
    closeIfIdle()
  }

  /// Takes a transfer back from libcurl; not inside one of its callbacks.
  @discardableResult
  private func release(_ handle: UnsafeMutableRawPointer) -> Transfer? {
    curl_multi_remove_handle(multi, handle)
    return running.removeValue(forKey: handle).flatMap { transfers[$0] }
  }

  private func sinkHas(_ taken: SinkFeed.Taken, of id: UInt64) {
    transfers[id]?.sinkHas(taken)
    closeIfIdle()
  }

  /// Lets libcurl do what has become possible. It reads a bounded amount for each transfer, and comes back here when there is more.
  private func act(_ socket: curl_socket_t, _ events: Int32) {
    guard let multi else { return }
    var count: Int32 = 0
    curl_multi_socket_action(multi, socket, events, &count)
    var result = CURLE_OK
    while let handle = blockfarm_curl_next_done(multi, &result) { release(handle)?.ended(result) }
    closeIfIdle()
  }

  // MARK: What libcurl waits for

  private func want(_ socket: curl_socket_t, _ change: Int32) {
    guard change != CURL_POLL_REMOVE else {
      wanted[socket] = nil
      return loop.unwatch(socket)
    }
    var events: DescriptorEvents = []
    if change & CURL_POLL_IN != 0 { events.insert(.readable) }
    if change & CURL_POLL_OUT != 0 { events.insert(.writable) }
    wanted[socket] = events
    watch(socket)
  }

  private func watch(_ socket: curl_socket_t) {
    // With no events at all the socket is only kept in mind: its transfer is paused.
    guard let events = wanted[socket], !events.isEmpty else { return loop.unwatch(socket) }
    loop.watch(socket, for: events) { [weak self] events in self?.assumeIsolated { $0.ready(socket, events) } }
  }

  private func ready(_ socket: curl_socket_t, _ events: DescriptorEvents) {
    var known: Int32 = 0
    if events.contains(.readable) { known |= CURL_CSELECT_IN }
    if events.contains(.writable) { known |= CURL_CSELECT_OUT }
    // Of a connection that failed libcurl finds out more by looking itself.
    act(socket, events.isSubset(of: [.readable, .writable]) ? known : 0)
    if wanted[socket] != nil { watch(socket) }
  }

  private func want(_ milliseconds: Int) {
    guard milliseconds >= 0 else { return loop.cancel(timer) }
    // Also when it is due at once: libcurl must not be called from its own callback.
    loop.set(timer, at: .now + .milliseconds(milliseconds)) { [weak self] in self?.assumeIsolated { $0.act(CURL_SOCKET_TIMEOUT, 0) } }
  }
}
