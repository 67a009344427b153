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

/// Carries the bytes of one body from libcurl to its sink, one piece under way and one being filled. Belongs to one ``Transfer``.
final class SinkFeed {
  /// How a piece went.
  struct Taken: Sendable {
    let count: Int
    let result: Result<Void, any Error>
  }

  /// A piece is handed on when it is this large, and the sender has to wait at twice this.
  private static let piece = 256 << 10

  private let sink: any BodySink
  /// Called on the sink's queue; must come to ``note(_:)``.
  private let report: @Sendable (Taken) -> Void
  private let queue = DispatchQueue(label: "blockfarm.http.sink")
  private var pending: [UInt8] = []
  private var isBusy = false
  private var whenIdle: (() -> Void)?
  private var isWaiting = false
  /// What the sink refused.
  private(set) var error: (any Error)?
  /// Bytes of the body that the sink has taken, with the offset it began at.
  private(set) var position: Int64

  init(_ sink: any BodySink, at offset: Int64, report: @escaping @Sendable (Taken) -> Void) {
    self.sink = sink
    self.report = report
    position = offset
    run { try $0.begin(at: offset) }
  }

  /// False: nothing was taken, the same bytes must be offered again when ``note(_:)`` says that there is room.
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

  /// The sink is done with a piece. True when bytes were offered meanwhile that there was no room for.
  func note(_ taken: Taken) -> Bool {
    isBusy = false
    switch taken.result {
    case .success: position += Int64(taken.count)
    case .failure(let failure): error = error ?? failure
    }
    let mustResume = isWaiting
    isWaiting = false
    advance()
    return mustResume
  }

  private func handOn() {
    let bytes = pending
    pending = []
    pending.reserveCapacity(2 * Self.piece)
    run(count: bytes.count) { sink in try bytes.withUnsafeBytes { try sink.receive($0) } }
  }

  private func run(count: Int = 0, _ work: @escaping @Sendable (any BodySink) throws -> Void) {
    isBusy = true
    queue.async { [sink, report] in report(Taken(count: count, result: Result { try work(sink) })) }
  }

  private func advance() {
    if error != nil { pending = [] }
    if pending.count >= Self.piece || whenIdle != nil && !pending.isEmpty { handOn() }
    if !isBusy, pending.isEmpty, let then = whenIdle {
      whenIdle = nil
      then()
    }
  }
}
