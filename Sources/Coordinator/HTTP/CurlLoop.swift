import CCurl
import Glibc
import Synchronization

/// One thread that carries all transfers of a client through libcurl's multi interface. Everything that belongs to libcurl is used on it alone.
final class CurlLoop: Sendable {
  private struct Inbox {
    var blocks: [@Sendable () -> Void] = []
    var isStopping = false
    var isOpen = true
  }
  private let inbox = Mutex(Inbox())
  nonisolated(unsafe) private let multi: UnsafeMutableRawPointer
  // Belongs to the loop's thread.
  nonisolated(unsafe) private var transfers: [UnsafeMutableRawPointer: Transfer] = [:]

  private static let libraryReady = blockfarm_curl_prepare() == CURLE_OK

  /// Starts the thread; throws ``HTTPError/local`` when the system has none left. End it with ``stop()``.
  init(connectionsPerHost: Int) throws(HTTPError) {
    guard Self.libraryReady, let multi = curl_multi_init() else { throw .local(operation: "set up", path: "libcurl", errno: ENOMEM) }
    self.multi = multi
    blockfarm_curl_multi_set_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, connectionsPerHost)
    blockfarm_curl_multi_set_long(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, 4 * connectionsPerHost)
    blockfarm_curl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, 2 * connectionsPerHost)
    var thread: pthread_t = 0
    let code = pthread_create(
      &thread, nil,
      { argument in
        guard let argument else { return nil }
        Unmanaged<CurlLoop>.fromOpaque(argument).takeRetainedValue().run()
        return nil
      }, Unmanaged.passRetained(self).toOpaque())
    guard code == 0 else { throw .local(operation: "start", path: "a thread", errno: code) }
    pthread_detach(thread)
  }

  /// Runs a block on the loop's thread, in the order of the calls; from any thread. After the end of the loop nothing runs.
  func perform(_ block: @escaping @Sendable () -> Void) { post { $0.blocks.append(block) } }

  /// Ends the thread when the last transfer has ended.
  func stop() { post { $0.isStopping = true } }

  // curl_multi_wakeup is the one call that other threads may make, and only until the handle is gone.
  private func post(_ change: (inout Inbox) -> Void) {
    inbox.withLock { inbox in
      guard inbox.isOpen else { return }
      change(&inbox)
      curl_multi_wakeup(multi)
    }
  }

  /// Only on the loop's thread. The transfer learns of its end by ``Transfer/ended(_:)``.
  func add(_ transfer: Transfer, handle: UnsafeMutableRawPointer) -> CURLMcode {
    let code = curl_multi_add_handle(multi, handle)
    if code == CURLM_OK { transfers[handle] = transfer }
    return code
  }

  /// Only on the loop's thread, not inside a callback of libcurl. Ends a transfer without telling it.
  func remove(handle: UnsafeMutableRawPointer) {
    if transfers.removeValue(forKey: handle) != nil { curl_multi_remove_handle(multi, handle) }
  }

  private func run() {
    blockPipeSignal()
    while true {
      let (blocks, isStopping) = inbox.withLock { inbox in
        defer { inbox.blocks.removeAll(keepingCapacity: true) }
        return (inbox.blocks, inbox.isStopping)
      }
      for block in blocks { block() }
      var running: Int32 = 0
      curl_multi_perform(multi, &running)
      endFinished()
      if isStopping, transfers.isEmpty, close() { return }
      // A wake-up that came before this call makes it return at once.
      curl_multi_poll(multi, nil, 0, 60_000, nil)
    }
  }

  private func endFinished() {
    var result = CURLE_OK
    while let handle = blockfarm_curl_next_done(multi, &result) {
      let transfer = transfers.removeValue(forKey: handle)
      curl_multi_remove_handle(multi, handle)
      transfer?.ended(result)
    }
  }

  /// False when there is still something to run.
  private func close() -> Bool {
    let isClosed = inbox.withLock { inbox in
      inbox.isOpen = !inbox.blocks.isEmpty
      return !inbox.isOpen
    }
    if isClosed { curl_multi_cleanup(multi) }
    return isClosed
  }

  /// A peer that closes its end must not end the program: the TLS library writes without MSG_NOSIGNAL.
  private func blockPipeSignal() {
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
  }
}
