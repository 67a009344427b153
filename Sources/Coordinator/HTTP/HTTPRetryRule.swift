import CCurl

/// Decides whether an exchange is tried again, and when.
package struct HTTPRetryRule: Sendable {
  /// All tries together.
  package var attempts = 7
  /// After the first try; doubled after each further one.
  package var firstDelay = Duration.seconds(1)
  package var longestDelay = Duration.seconds(60)
  /// A server that asks for more patience than this is not waited for.
  package var longestRetryAfter = Duration.seconds(600)
  package init() {}

  /// How long to wait before the next try; nil: this was the last one.
  package func delay(after attempt: Int, of request: HTTPRequest, error: HTTPError, now: Int64) -> Duration? {
    guard attempt < attempts else { return nil }
    var floor = Duration.zero
    switch error {
    case .transport(let failure):
      guard failure.kind.isPassing, request.repetition == .harmless || failure.wasNeverSent else { return nil }
    case .status(let answer):
      guard Self.isPassing(answer.status), request.repetition == .harmless || answer.status == 429 else { return nil }
      floor = answer.retryAfter.flatMap { Self.duration(retryAfter: $0, now: now) } ?? .zero
      if floor > longestRetryAfter { return nil }
    default:
      return nil
    }
    var delay = firstDelay
    for _ in 1..<max(1, attempt) where delay < longestDelay { delay *= 2 }
    return max(min(delay, longestDelay), floor)
  }

  /// Statuses that say nothing about the request itself.
  package static func isPassing(_ status: Int) -> Bool { status == 429 || (500...599).contains(status) && status != 501 && status != 505 }

  /// The value of Retry-After: whole seconds or a date (RFC 9110 section 10.2.3); nil for anything else.
  static func duration(retryAfter value: String, now: Int64) -> Duration? {
    if let seconds = Int64(value), seconds >= 0 { return .seconds(min(seconds, 1 << 31)) }
    let date = Int64(curl_getdate(value, nil))
    return date < 0 ? nil : .seconds(max(0, date - now))
  }
}
