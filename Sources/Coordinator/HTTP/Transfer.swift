import CCurl
import Glibc

/// One exchange: one request, at most one answer, no redirect, no repetition.
///
/// Belongs to the ``CurlMulti`` that runs it. It ends once: by libcurl, by cancellation, or before it began.
final class Transfer {
  /// Where the body of a wanted answer goes.
  enum Target: Sendable {
    case memory(limit: Int)
    /// From `offset` of the whole body on; the limit counts from 0.
    case sink(any BodySink, offset: Int64, limit: Int64)
  }

  enum End: Sendable {
    case answered(HTTPResponse)
    case failed(HTTPError)
    case cancelled
  }

  struct Report: Sendable {
    var end: End
    /// As far as it came, also of an answer that was cut.
    var head: ResponseHead
    /// What the sink has of the whole body.
    var position: Int64
  }

  /// Of the body of an answer that nobody wants, this much is kept for its message.
  private static let refusalLimit = 64 << 10

  let request: HTTPRequest
  let settings: HTTPSettings
  let target: Target

  private var handle: EasyHandle?
  private(set) var source: BodySource?
  private var head = ResponseHead()
  private var body: [UInt8] = []
  private var feed: SinkFeed?
  /// Why a callback stopped libcurl.
  private var refusal: HTTPError?
  private var isCut = false
  /// Called on the sink's queue; must come to ``sinkHas(_:)``.
  private let taken: @Sendable (SinkFeed.Taken) -> Void
  private let done: (Report) -> Void

  /// `done` is called once. Until then the transfer must be kept.
  init(
    _ request: HTTPRequest, settings: HTTPSettings, target: Target, taken: @escaping @Sendable (SinkFeed.Taken) -> Void,
    done: @escaping (Report) -> Void
  ) {
    self.request = request
    self.settings = settings
    self.target = target
    self.taken = taken
    self.done = done
  }

  /// The handle that is to be run, which stays the transfer's.
  func prepare() throws(HTTPError) -> UnsafeMutableRawPointer {
    source = try BodySource(request.body)
    guard let handle = EasyHandle() else { throw .local(operation: "set up", path: "libcurl", errno: ENOMEM) }
    self.handle = handle
    try handle.setOptions { (pointer, errorText) throws(HTTPError) in
      try TransferOptions.apply(to: pointer, transfer: self, errorText: errorText)
    }
    return handle.pointer
  }

  /// It could not be started.
  func fail(_ error: HTTPError) { finish(.failed(error)) }

  /// libcurl has let go of it.
  func cancel() { settle(.cancelled) }

  /// The sink is done with a piece.
  func sinkHas(_ piece: SinkFeed.Taken) {
    if feed?.note(piece) == true { handle?.resume() }
  }

  /// libcurl is done with it.
  func ended(_ code: CURLcode) {
    if code == CURLE_OK || isCut, head.isComplete {
      settle(.answered(HTTPResponse(status: head.status, fields: head.fields, body: body, url: request.url)))
    } else {
      settle(.failed(refusal ?? .transport(failure(code))))
    }
  }

  /// The sink is always waited for: afterwards nobody touches it.
  private func settle(_ end: End) {
    guard let feed else { return finish(end) }
    feed.finish { [self] in
      if case .answered = end, let error = feed.error { finish(.failed(Self.refused(error))) } else { finish(end) }
    }
  }

  private func finish(_ end: End) {
    let report = Report(end: end, head: head, position: feed?.position ?? startOffset)
    (handle, source, feed) = (nil, nil, nil)
    done(report)
  }

  /// The most that both bodies together can have; nil where the answer has no limit.
  var mostBytes: Int64? {
    let answer: Int64 =
      switch target {
      case .memory(let limit): Int64(max(Self.refusalLimit, limit))
      case .sink(_, let offset, let limit): max(0, limit - offset)
      }
    let (sum, isTooLarge) = answer.addingReportingOverflow(request.body.length)
    // Such a limit is none.
    return isTooLarge || sum > 1 << 50 ? nil : sum
  }

  private var startOffset: Int64 { if case .sink(_, let offset, _) = target { offset } else { 0 } }

  private static func refused(_ error: any Error) -> HTTPError {
    (error as? HTTPError) ?? .local(operation: "write", path: "a body: \(error)", errno: EIO)
  }

  /// The transfer ends with this error.
  func refuse(_ error: HTTPError) { refusal = error }

  // Called by libcurl.

  /// The number of bytes taken; any other than all of them stops the transfer.
  func takeHead(_ line: UnsafeRawBufferPointer) -> Int {
    if head.take(line: line, limit: settings.headLimit) { return line.count }
    refusal = tooLarge("the head of the answer has more than \(settings.headLimit) bytes")
    return 0
  }

  func takeBody(_ bytes: UnsafeRawBufferPointer) -> Int {
    if case .sink(let sink, let offset, let limit) = target, (200...299).contains(head.status) {
      return take(bytes, into: sink, offset: offset, limit: limit)
    }
    var limit = Self.refusalLimit
    if case .memory(let wanted) = target { limit = max(limit, wanted) }
    if body.count + bytes.count <= limit {
      body.append(contentsOf: bytes)
      return bytes.count
    }
    if (200...299).contains(head.status) {
      refusal = tooLarge("the body of the answer has more than \(limit) bytes")
    } else {
      isCut = true
    }
    return 0
  }

  private var announced: Int64 = 0

  private func take(_ bytes: UnsafeRawBufferPointer, into sink: any BodySink, offset: Int64, limit: Int64) -> Int {
    if feed == nil {
      guard let start = bodyStart(asked: offset) else { return 0 }
      announced = start
      feed = SinkFeed(sink, at: start, report: taken)
    }
    guard let feed else { return 0 }
    if let error = feed.error {
      refusal = Self.refused(error)
      return 0
    }
    guard announced + Int64(bytes.count) <= limit else {
      refusal = tooLarge("the body of the answer has more than \(limit) bytes")
      return 0
    }
    guard feed.offer(bytes) else { return Int(CURL_WRITEFUNC_PAUSE) }
    announced += Int64(bytes.count)
    return bytes.count
  }

  /// Where the body of this answer starts in the whole: 206 must continue where it was asked to.
  private func bodyStart(asked offset: Int64) -> Int64? {
    guard head.status == 206 else { return 0 }
    if let range = head.fields["Content-Range"], range.hasPrefix("bytes \(offset)-") { return offset }
    refusal = .decoding(url: request.url, what: "part of the body", reason: "Content-Range does not begin at byte \(offset)")
    return nil
  }

  private func tooLarge(_ reason: String) -> HTTPError {
    .transport(TransportFailure(kind: .tooLarge, method: request.method, url: request.url, reason: reason, wasNeverSent: false))
  }

  private func failure(_ code: CURLcode) -> TransportFailure {
    let reason = Redaction(request.authorization?.secrets ?? []).clean((handle?.reason(code) ?? "").trimmedHTTPBlanks)
    return TransportFailure(
      kind: .init(code), method: request.method, url: request.url, reason: reason, wasNeverSent: (handle?.sentBytes ?? 0) == 0)
  }
}

extension TransportFailure.Kind {
  init(_ code: CURLcode) {
    self =
      switch code {
      case CURLE_COULDNT_RESOLVE_HOST: .nameLookup
      case CURLE_COULDNT_CONNECT: .connect
      case CURLE_COULDNT_RESOLVE_PROXY, CURLE_PROXY: .proxy
      case CURLE_OPERATION_TIMEDOUT: .timeout
      case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER: .tls
      case CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_PARTIAL_FILE, CURLE_GOT_NOTHING, CURLE_HTTP2, CURLE_HTTP2_STREAM, CURLE_SEND_FAIL_REWIND:
        .dropped
      default: .other
      }
  }
}
