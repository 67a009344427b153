import HTTP

/// What balenaCloud's API did that no status says.
package enum BalenaError: ExchangeFailure {
  /// A row that was just made is not there: another program removed it.
  case vanished(url: HTTPURL, what: String)

  package var exchange: HTTPError? { nil }

  package var description: String {
    switch self {
    case .vanished(let url, let what): "\(url): a row of \(what) that was just made is not there; does another program work on the same release?"
    }
  }
}
