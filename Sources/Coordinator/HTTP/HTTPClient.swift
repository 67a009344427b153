/// Sends requests and gives back answers: redirects, repetitions and limits included. Connections are kept and shared by all of its requests.
///
/// Cancelling the calling task ends an exchange at once and throws `CancellationError`; everything else is thrown as ``HTTPError``.
package final class HTTPClient: Sendable {
  package let settings: HTTPSettings
  let multi: CurlMulti

  /// Starts the client's thread, which ends with the client.
  package init(settings: HTTPSettings = HTTPSettings()) throws(HTTPError) {
    self.settings = settings
    multi = try CurlMulti(connectionsPerHost: settings.connectionsPerHost)
  }

  deinit { multi.close() }

  /// Sends a request and keeps the answer's body in memory, inflated if it was sent compressed.
  ///
  /// Any success is an answer, and every status in `accepting`; other statuses are thrown as ``HTTPError/status(_:)``.
  package func send(_ request: HTTPRequest, accepting: Set<Int> = [], bodyLimit: Int? = nil) async throws -> HTTPResponse {
    let target = Transfer.Target.memory(limit: bodyLimit ?? settings.bodyLimit)
    return try await repeating(request) { try await self.answer(to: $0, accepting: accepting, target: target).0 }
  }

  /// Tries until the rule says it is enough.
  func repeating<Value>(_ request: HTTPRequest, _ attempt: (HTTPRequest) async throws -> Value) async throws -> Value {
    var count = 1
    while true {
      do {
        return try await attempt(request)
      } catch let error as HTTPError {
        guard try await pause(after: count, of: request, error) else { throw error }
        count += 1
      }
    }
  }

  /// Waits as long as the rule wants it before the next try, and says so; false: this try was the last one.
  package func pause(after attempt: Int, of request: HTTPRequest, _ error: HTTPError) async throws -> Bool {
    guard let delay = settings.retry.delay(after: attempt, of: request, error: error, now: settings.time.now()) else { return false }
    settings.notice("\(error); try \(attempt + 1) of \(settings.retry.attempts) in \(delay.components.seconds) s")
    try await settings.time.sleep(delay)
    return true
  }

  /// One try, with its redirects. `began` sees how each exchange went, also those that failed.
  func answer(
    to request: HTTPRequest, accepting: Set<Int>, target: Transfer.Target, began: (Transfer.Report) -> Void = { _ in }
  ) async throws -> (HTTPResponse, Transfer.Report) {
    var request = request
    let redaction = Redaction(request.authorization?.secrets ?? [])
    for _ in 0...settings.redirectLimit {
      try check(request)
      let report = await multi.run(request, settings: settings, target: target)
      began(report)
      switch report.end {
      case .cancelled: throw CancellationError()
      case .failed(let error): throw error
      case .answered(let response):
        if response.isSuccess || accepting.contains(response.status) { return (response, report) }
        switch RedirectRule.verdict(on: response, to: request) {
        case .answer: throw HTTPError.status(Self.refusal(response, request, redaction))
        case .refuse(let reason): throw HTTPError.redirect(method: request.method, url: request.url, reason: reason)
        case .follow(let next): request = next
        }
      }
    }
    throw HTTPError.redirect(method: request.method, url: request.url, reason: "this is redirect \(settings.redirectLimit + 1)")
  }

  private func check(_ request: HTTPRequest) throws(HTTPError) {
    let url = request.url
    guard url.origin.scheme == .http, !url.isLoopback, !settings.allowsPlain(url.origin.host) else { return }
    throw .unsendable(method: request.method, url: url, reason: "plain http to '\(url.origin.host)' is not allowed; use https, or allow this host")
  }

  private static func refusal(_ response: HTTPResponse, _ request: HTTPRequest, _ redaction: Redaction) -> ServerAnswer {
    ServerAnswer(
      method: request.method, url: response.url, status: response.status, message: ServerMessage(response.body, redaction: redaction),
      retryAfter: response.fields["Retry-After"], challenges: response.fields.values("WWW-Authenticate"))
  }
}
