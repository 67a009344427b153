import Dispatch
import FarmService
import Glibc

/// SIGINT and SIGTERM as the wish to end a running request.
struct InterruptSignals {
  private let sources: [any DispatchSourceSignal]

  /// The first signal ends the request on the workers in order, the second one leaves at once.
  init(_ interruption: CancelFlag) {
    // A thread of its own, whatever keeps Swift's busy.
    let queue = DispatchQueue(label: "blockfarm.signals")
    sources = [SIGINT, SIGTERM].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
      source.setEventHandler {
        if interruption.request() { Glibc.exit(130) }
        Diagnostics.error(
          "cancelling the request. Press Ctrl-C again to leave at once; the builds on the hosts then go on, and the next 'build' finds them")
      }
      source.resume()
      return source
    }
  }

  func cancel() { for source in sources { source.cancel() } }
}
