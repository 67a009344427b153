import Dispatch

/// Takes the bytes of a body in order.
///
/// Calls come one after the other on a queue of their own and may take their time: the sender is made to wait meanwhile. After an error nothing more comes.
package protocol BodySink: AnyObject, Sendable {
  /// A body begins at this offset: 0 forgets what came before, another value is what was received so far.
  func begin(at offset: Int64) throws
  /// The buffer is valid during the call.
  func receive(_ bytes: UnsafeRawBufferPointer) throws
}

/// Carries the bytes of one body from the loop's thread to its sink, one piece under way and one being filled.
///
/// Everything but the sink is used on the loop's thread only.
final class SinkFeed: @unchecked Sendable {
  /// A piece is handed on when it is this large, and the sender has to wait at twice this.
  private static let piece = 256 << 10

  private let sink: any BodySink
  private let loop: CurlLoop
  private let queue = DispatchQueue(label: "blockfarm.http.sink")
  private var pending: [UInt8] = []
  private var isBusy = false
  private var whenIdle: (() -> Void)?
  /// Called when there is room again after ``offer(_:)`` said no.
  private let resume: () -> Void
  private var isWaiting = false
  /// What the sink refused.
  private(set) var error: (any Error)?
  /// Bytes of the body that the sink has taken, with the offset it began at.
  private(set) var position: Int64

  init(_ sink: any BodySink, at offset: Int64, loop: CurlLoop, resume: @escaping () -> Void) {
    self.sink = sink
    self.loop = loop
    self.resume = resume
    position = offset
    run { try sink.begin(at: offset) }
  }

  /// False: nothing was taken, the same bytes must be offered again after `resume`.
  func offer(_ bytes: UnsafeRawBufferPointer) -> Bool {
    if isBusy, pending.count >= 2 * Self.piece {
      isWaiting = true
      return false
    }
    pending.append(contentsOf: bytes)
    if !isBusy, pending.count >= Self.piece { handOn() }
    return true
  }

  /// Hands on what is left and calls back when the sink has taken all of it or failed.
  func finish(then: @escaping () -> Void) {
    whenIdle = then
    if !isBusy { advance() }
  }

  private func handOn() {
    let bytes = pending
    pending = []
    pending.reserveCapacity(2 * Self.piece)
    let sink = sink
    run(count: bytes.count) { try bytes.withUnsafeBytes { try sink.receive($0) } }
  }

  private func run(count: Int = 0, _ work: @escaping @Sendable () throws -> Void) {
    isBusy = true
    queue.async { [self] in
      let result = Result { try work() }
      loop.perform { [self] in
        isBusy = false
        switch result {
        case .success: position += Int64(count)
        case .failure(let failure): error = error ?? failure
        }
        advance()
      }
    }
  }

  private func advance() {
    if error != nil { pending = [] }
    if pending.count >= Self.piece || whenIdle != nil && !pending.isEmpty { handOn() }
    if isWaiting {
      isWaiting = false
      resume()
    }
    if !isBusy, pending.isEmpty, let then = whenIdle {
      whenIdle = nil
      then()
    }
  }
}
