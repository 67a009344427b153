import HTTPTypes

/// Where a request arrived.
package enum CloudServer: String, Hashable, Sendable {
  case api, registry
}

/// Something that goes wrong, and for which requests.
package struct Fault: Sendable {
  package enum Effect: Hashable, Sendable {
    /// This is said, and nothing is done.
    case reply(status: Int, headers: HTTPFields = [:], body: String = "")
    /// 301 to the same place with https, and nothing is done.
    case redirectToHTTPS
    /// The connection is closed, and nothing is done.
    case dropBefore
    /// All is done, and the connection is closed without a reply.
    case dropAfter
    /// All is done, and this is said instead.
    case replyAfter(status: Int)
    /// All is done, and the reply breaks off after so many bytes of its body.
    case truncate(after: Int)
    /// All is done after a pause.
    case delay(Duration)

    /// 429 of the API.
    package static func rateLimited(seconds: Int) -> Effect {
      .reply(status: 429, headers: [.retryAfter: String(seconds), .contentType: "application/json"], body: "\"Too Many Requests\"")
    }

    /// An error as a registry tells it: `BLOB_UPLOAD_UNKNOWN` with 404, `RANGE_INVALID` with 416, `UNKNOWN` with 500 for a full disk.
    package static func registryError(status: Int, code: String) -> Effect {
      .reply(
        status: status, headers: [.contentType: "application/json; charset=utf-8"],
        body: "{\"errors\":[{\"code\":\"\(code)\",\"message\":\"injected\",\"detail\":null}]}")
    }
  }

  private let matches: @Sendable (CloudServer, HTTPRequest, Int) -> Bool
  /// So many matching requests pass before.
  private var skipped: Int
  /// nil is for ever.
  private var times: Int?
  let effect: Effect

  /// For requests of a method (nil: any) whose path is `path`, or goes on from there with `(` or `/`; nil matches every path.
  ///
  /// - Parameters:
  ///   - nth: the first matching request that it hits, counted from 1.
  ///   - times: how many it hits; nil is all from then on.
  package init(
    _ server: CloudServer? = nil, _ method: HTTPRequest.Method? = nil, _ path: String? = nil, nth: Int = 1, times: Int? = 1, _ effect: Effect
  ) {
    matches = { where_, request, _ in
      guard server == nil || server == where_, method == nil || method == request.method else { return false }
      guard let path else { return true }
      let target = request.path ?? "/"
      guard target.hasPrefix(path) else { return false }
      let rest = target.dropFirst(path.count)
      return path.hasSuffix("/") || rest.isEmpty || "(/?".contains(rest.first ?? "?")
    }
    (skipped, self.times, self.effect) = (nth - 1, times, effect)
  }

  /// For the request with this number, counted over both servers.
  package init(request number: Int, _ effect: Effect) {
    matches = { _, _, arrived in arrived == number }
    (skipped, times, self.effect) = (0, 1, effect)
  }

  /// The effect, if it hits this request. Counts.
  mutating func hit(_ server: CloudServer, _ request: HTTPRequest, number: Int) -> Effect? {
    guard times != 0, matches(server, request, number) else { return nil }
    if skipped > 0 {
      skipped -= 1
      return nil
    }
    times = times.map { $0 - 1 }
    return effect
  }
}
