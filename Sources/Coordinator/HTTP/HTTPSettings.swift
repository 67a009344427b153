import Glibc

/// How an ``HTTPClient`` behaves, for all of its requests.
package struct HTTPSettings: Sendable {
  package enum Proxy: Sendable {
    /// `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy`, as libcurl reads them.
    case environment
    case none
    /// For every request but those to `except` (host names, `*` for all, comma separated as in `no_proxy`).
    case address(HTTPURL, user: String?, password: Secret?, except: String)
  }

  /// Which hosts may be spoken to without TLS. Loopback always may.
  package enum PlainHTTP: Sendable {
    case loopbackOnly
    /// These hosts too (without port).
    case hosts(Set<String>)
  }

  package var proxy = Proxy.environment
  /// A PEM file that replaces the system's certificate authorities.
  package var authorities: String?
  package var plainHTTP = PlainHTTP.loopbackOnly
  package var timeouts = HTTPTimeouts()
  package var retry = HTTPRetryRule()
  package var time = HTTPTime()
  /// The longest head of an answer, in bytes.
  package var headLimit = 64 << 10
  /// The longest body that is kept in memory, in bytes.
  package var bodyLimit = 16 << 20
  package var redirectLimit = 5
  /// At once to one host; more wait in order.
  package var connectionsPerHost = 8
  package var userAgent = "blockfarm"
  /// Told about every repetition, in one line without secrets.
  package var notice: @Sendable (String) -> Void = { _ in }

  package init() {}

  package func allowsPlain(_ host: String) -> Bool {
    if case .hosts(let hosts) = plainHTTP { hosts.contains(host) } else { false }
  }
}

/// The clock and the waiting; tests replace both.
package struct HTTPTime: Sendable {
  /// Seconds since 1970.
  package var now: @Sendable () -> Int64 = { Int64(time(nil)) }
  package var sleep: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
  package init() {}
}
