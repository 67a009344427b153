import BlobStore
import BuildModel
import Glibc

/// What can go wrong in an exchange by HTTP. No text holds a secret or a URL's query.
package enum HTTPError: ExchangeFailure {
  case invalidURL(String, reason: String)
  /// The request cannot be sent as it is.
  case unsendable(method: HTTPRequest.Method, url: HTTPURL, reason: String)
  /// No complete answer.
  case transport(TransportFailure)
  /// An answer that says no.
  case status(ServerAnswer)
  /// A redirect that is not followed.
  case redirect(method: HTTPRequest.Method, url: HTTPURL, reason: String)
  /// A body that is not what it must be.
  case decoding(url: HTTPURL, what: String, reason: String)
  /// The bytes that came have another size or digest.
  case mismatch(what: String, expected: String, found: String)
  /// The coordinator's own disk or store.
  case store(BlobStoreError)
  case local(operation: String, path: String, errno: Int32)

  package var description: String {
    switch self {
    case .invalidURL(let text, let reason): "'\(text)' cannot be used as a URL: \(reason)"
    case .unsendable(let method, let url, let reason): "\(method.rawValue) \(url) cannot be sent: \(reason)"
    case .transport(let failure): failure.description
    case .status(let answer): answer.description
    case .redirect(let method, let url, let reason): "\(method.rawValue) \(url): \(reason), which is not followed"
    case .decoding(let url, let what, let reason): "\(url) gave no valid \(what): \(reason)"
    case .mismatch(let what, let expected, let found): "\(what) is \(found), expected \(expected)"
    case .store(let error): error.description
    case .local(let operation, let path, let code): "\(operation) \(path): \(String(cString: strerror(code)))"
    }
  }

  package var exchange: HTTPError? { self }

  package var leavesUnknown: Bool {
    switch self {
    case .transport(let failure): !failure.wasNeverSent
    case .status(let answer): (500...599).contains(answer.status)
    default: false
    }
  }
}

/// An exchange without a complete answer.
package struct TransportFailure: Hashable, Sendable, CustomStringConvertible {
  package enum Kind: Hashable, Sendable {
    case nameLookup, connect, proxy, timeout
    /// The connection ended before the answer did.
    case dropped
    /// The server's certificate or the handshake.
    case tls
    /// Head or body are larger than allowed.
    case tooLarge
    case other

    /// The next try may go well.
    package var isPassing: Bool {
      switch self {
      case .nameLookup, .connect, .timeout, .dropped: true
      case .proxy, .tls, .tooLarge, .other: false
      }
    }
  }
  package var kind: Kind
  package var method: HTTPRequest.Method
  package var url: HTTPURL
  package var reason: String
  /// Nothing of the request reached the server.
  package var wasNeverSent: Bool

  package var description: String {
    let hint =
      switch kind {
      case .nameLookup: "; check the host's name and this machine's DNS or proxy settings"
      case .tls: "; a private certificate authority must be configured"
      case .proxy: "; check http_proxy, https_proxy and no_proxy"
      case .connect, .timeout, .dropped, .tooLarge, .other: ""
      }
    return "\(method.rawValue) \(url): \(reason)\(hint)"
  }
}

/// An answer whose status says no, with what the server had to say.
package struct ServerAnswer: Hashable, Sendable, CustomStringConvertible {
  package var method: HTTPRequest.Method
  package var url: HTTPURL
  package var status: Int
  package var message: ServerMessage
  package var retryAfter: String?
  /// The fields of a challenge (WWW-Authenticate).
  package var challenges: [String]

  package var description: String {
    "\(method.rawValue) \(url) was answered \(status)\(message.text.isEmpty ? "" : ": \(message.text)")"
      + (status == 429 ? "; it is asked too often\(retryAfter.map { ", try again after \($0)" } ?? "")" : "")
  }
}
