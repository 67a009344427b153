import BuildModel

/// What was done with a registry when something went wrong. The server's own code and message are in `cause`.
package struct RegistryFailure: Sendable, CustomStringConvertible {
  package var registry: RegistryName
  package var repository: RepositoryName
  /// For example `manifest latest` or `blob sha256:…`.
  package var subject: String
  package var cause: CloudError

  /// The registry's codes (Distribution specification, "Error codes").
  package var codes: [String] { if case .status(let answer) = cause { answer.message.codes } else { [] } }

  package var description: String {
    let hint =
      switch cause.status {
      case 401, 403: "; the credentials in use do not allow this"
      case 404 where codes.contains("NAME_UNKNOWN"): "; the registry does not know this repository"
      case 413: "; something before the registry limits bodies, set a chunk size below that limit"
      default: ""
      }
    return "registry \(registry), repository \(repository), \(subject): \(cause)\(hint)"
  }
}
