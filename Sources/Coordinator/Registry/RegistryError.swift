import BuildModel
import HTTP

/// What was done with a registry when something went wrong. The server's own code and message are in `cause`.
package struct RegistryError: ExchangeFailure {
  package enum Cause: Sendable, CustomStringConvertible {
    case exchange(HTTPError)
    /// The registry sends us for a token to somebody who must not see the credential.
    case refusedRealm(HTTPURL, allowed: [String])

    package var description: String {
      switch self {
      case .exchange(let error): error.description
      case .refusedRealm(let realm, let allowed):
        "it wants a token of \(realm.origin), which may not see the credential; allowed: \(allowed.joined(separator: ", "))"
      }
    }
  }

  package var registry: RegistryName
  package var repository: RepositoryName
  /// For example `manifest latest` or `blob sha256:…`.
  package var subject: String
  package var cause: Cause

  package var exchange: HTTPError? { if case .exchange(let error) = cause { error } else { nil } }

  /// The registry's codes (Distribution specification, "Error codes").
  package var codes: [String] { if case .status(let answer)? = exchange { answer.message.codes } else { [] } }

  package var description: String {
    let hint =
      switch status {
      case 401, 403: "; the credentials in use do not allow this"
      case 404 where codes.contains("NAME_UNKNOWN"): "; the registry does not know this repository"
      case 413: "; something before the registry limits bodies, set a chunk size below that limit"
      default: ""
      }
    return "registry \(registry), repository \(repository), \(subject): \(cause)\(hint)"
  }
}

/// A token service that must not see the credential; ``RegistryClient`` adds what it was asked for.
struct RefusedRealm: Error {
  var realm: HTTPURL
  var allowed: [String]
}
