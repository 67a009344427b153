import BuildModel

/// An exchange by HTTP that did not succeed, in the words of the room that made it: HTTP itself, or a service that adds what it was about.
package protocol ExchangeFailure: BlamedError {
  /// What HTTP has to say about it; nil where the exchange itself went well.
  var exchange: HTTPError? { get }
  /// Nobody knows whether the server carried the request out.
  var leavesUnknown: Bool { get }
}

extension ExchangeFailure {
  package var blame: Blame {
    switch exchange {
    case .invalidURL, .unsendable: .request
    case .store, .local: .coordinator
    case .transport, .status, .redirect, .decoding, .mismatch, nil: .cloud
    }
  }

  package var leavesUnknown: Bool { false }

  /// The status of an answer that says no; nil for every other failure.
  package var status: Int? {
    if case .status(let answer)? = exchange { answer.status } else { nil }
  }

  /// The server has something under that name, and it is not what the name says.
  package var isOtherContent: Bool {
    switch exchange {
    case .mismatch, .decoding(_, "manifest", _): true
    default: false
    }
  }
}
