import BlobStore
import BuildModel
import Glibc

/// What can go wrong between the coordinator and a service that is spoken to by HTTP. No text holds a secret or a URL's query.
package enum CloudError: Error, Sendable, CustomStringConvertible {
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
  /// A row that was just made is not there: another program removed it.
  case vanished(url: HTTPURL, what: String)
  /// The bytes that came have another size or digest.
  case mismatch(what: String, expected: String, found: String)
  /// A text that is no name of that kind.
  case invalidName(String, String, reason: String)
  /// A registry sends us for a token to somebody who must not see the credential.
  case refusedRealm(registry: RegistryName, realm: HTTPURL, allowed: [String])
  indirect case registry(RegistryFailure)
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
    case .vanished(let url, let what): "\(url): a row of \(what) that was just made is not there; does another program work on the same release?"
    case .mismatch(let what, let expected, let found): "\(what) is \(found), expected \(expected)"
    case .invalidName(let kind, let text, let reason): "'\(text.prefix(200))' is not a valid \(kind): \(reason)"
    case .refusedRealm(let registry, let realm, let allowed):
      "registry \(registry) wants a token of \(realm.origin), which may not see the credential; allowed: \(allowed.joined(separator: ", "))"
    case .registry(let failure): failure.description
    case .store(let error): error.description
    case .local(let operation, let path, let code): "\(operation) \(path): \(String(cString: strerror(code)))"
    }
  }

  /// The registry has something under that name, and it is not what the name says.
  package var isOtherContent: Bool {
    switch self {
    case .mismatch, .decoding(_, "manifest", _): true
    case .registry(let failure): failure.cause.isOtherContent
    default: false
    }
  }

  /// The status of an answer that says no; nil for every other error.
  package var status: Int? {
    switch self {
    case .status(let answer): answer.status
    case .registry(let failure): failure.cause.status
    default: nil
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
    var isPassing: Bool {
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
