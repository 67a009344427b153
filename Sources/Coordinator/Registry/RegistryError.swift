import BuildModel
import HTTP

/// What was done with a registry when something went wrong. The server's own code and message are in `cause`.
package struct RegistryError: ExchangeFailure {
  package var registry: RegistryName
  package var repository: RepositoryName
  /// For example `manifest latest` or `blob sha256:…`.
  package var subject: String
  package var cause: HTTPError
  /// A token service that the registry named and that was asked without the credential.
  package var withheldFrom: HTTPURL.Origin?

  package var exchange: HTTPError? { cause }

  /// The registry's codes (Distribution specification, "Error codes").
  package var codes: [String] { if case .status(let answer) = cause { answer.message.codes } else { [] } }

  package var description: String {
    "registry \(registry), repository \(repository), \(subject): \(cause)\(hint)"
  }

  private var hint: String {
    if let withheldFrom, [401, 403, 404].contains(status) {
      return "; the credential was not sent to \(withheldFrom), which the registry names for tokens: only the registry's own host may see it. "
        + "If that service is the right one, name it: tokenService in farm.yaml, --token-service with block push"
    }
    return switch status {
    case 401, 403: "; the credentials in use do not allow this"
    case 404 where codes.contains("NAME_UNKNOWN"): "; the registry does not know this repository"
    case 413: "; something before the registry limits bodies, set a chunk size below that limit"
    default: ""
    }
  }
}
