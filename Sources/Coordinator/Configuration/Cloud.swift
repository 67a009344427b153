import BuildModel
import FoundationEssentials
import Glibc

/// Where releases are published: an entry of `environments` in farm.yaml, or a predefined one.
package struct Cloud: Hashable, Sendable {
  /// `production`, `staging`, another name of the file, or the URL itself.
  package var name: String
  /// Scheme, host and port of the API.
  package var api: String
  package var organization: String
  /// nil: reading public data only. There is no default, so that a token of one cloud never reaches another.
  package var token: CredentialSource?
  /// An account to log in with instead of a token: a session has all rights of its user, where an API key has those of its role.
  package var login: Login?
  /// A team that gets a role in new applications.
  package var team: String?
  /// Its role there.
  package var role: String
  /// The deploy tree's bucket, if there is one.
  package var storage: ObjectStorage?
  /// Speak http to the API where it is not loopback.
  package var allowsPlainHTTP = false
  /// PEM file that replaces the system's certificate authorities for the API and its registries, an absolute path.
  package var authorities: String?

  /// A user of the cloud.
  package struct Login: Hashable, Sendable {
    /// E-mail address or user name.
    package enum Name: Hashable, Sendable {
      case plain(String)
      case source(CredentialSource)

      package func read(environment: [String: String]) throws(ConfigurationError) -> String {
        switch self {
        case .plain(let text): text
        case .source(let source): try source.read(environment: environment)
        }
      }
    }
    package var username: Name
    package var password: CredentialSource

    package init(username: Name, password: CredentialSource) {
      self.username = username
      self.password = password
    }
  }

  /// Whether publishing can be asked for at all.
  package var hasCredential: Bool { token != nil || login != nil }

  /// An S3 bucket.
  package struct ObjectStorage: Hashable, Sendable {
    /// Scheme, host and port, for example `https://s3.us-east-1.amazonaws.com`.
    package var endpoint: String
    package var bucket: String
    package var region: String
    package var accessKey: CredentialSource
    package var secretKey: CredentialSource
    /// Speak http to the endpoint where it is not loopback.
    package var allowsPlainHTTP = false
    /// PEM file that replaces the system's certificate authorities for the endpoint, an absolute path: the API's is of somebody else.
    package var authorities: String?

    package init(endpoint: String, bucket: String, region: String, accessKey: CredentialSource, secretKey: CredentialSource) {
      self.endpoint = endpoint
      self.bucket = bucket
      self.region = region
      self.accessKey = accessKey
      self.secretKey = secretKey
    }
  }

  package init(
    name: String, api: String, organization: String = Cloud.defaultOrganization, token: CredentialSource? = nil, team: String? = nil,
    role: String = "developer", storage: ObjectStorage? = nil
  ) {
    self.name = name
    self.api = api
    self.organization = organization
    self.token = token
    self.team = team
    self.role = role
    self.storage = storage
  }

  /// The organization of balena's own operating system.
  package static let defaultOrganization = "balena_os"

  /// Known without a configuration; without a token (balena-cloud-api.md section 1).
  package static let predefined = [
    Cloud(name: "production", api: "https://api.balena-cloud.com"),
    Cloud(name: "staging", api: "https://api.balena-staging.com"),
  ]
}

/// Where a secret is; never the secret itself.
package enum CredentialSource: Hashable, Sendable, CustomStringConvertible {
  case environment(String)
  /// An absolute path. The file must be readable for its owner alone.
  case file(String)

  /// Reads `env:NAME` or `file:PATH`; nil for anything else, for instance the secret itself.
  package init?(_ text: String, directory: String, home: String) {
    if text.hasPrefix("env:") {
      let name = text.dropFirst(4)
      guard let first = name.utf8.first, !(48...57).contains(first), name.utf8.allSatisfy(Self.isNameByte) else { return nil }
      self = .environment(String(name))
    } else if text.hasPrefix("file:"), text.utf8.count > 5 {
      self = .file(ConfigurationFile.absolute(String(text.dropFirst(5)), in: directory, home: home))
    } else {
      return nil
    }
  }

  package var description: String {
    switch self {
    case .environment(let name): "env:\(name)"
    case .file(let path): "file:\(path)"
    }
  }

  /// The secret: without the line end that editors add. No error holds any of it.
  package func read(environment: [String: String]) throws(ConfigurationError) -> String {
    let text = try text(environment)
    let bytes = Array(text.utf8)
    guard let last = bytes.lastIndex(where: { $0 != 10 && $0 != 13 && $0 != 32 }) else {
      throw ConfigurationError(file: description, reason: "is empty")
    }
    let secret = bytes[...last]
    guard secret.allSatisfy({ $0 > 32 && $0 < 127 }), secret.count <= 16384 else {
      throw ConfigurationError(file: description, reason: "holds blanks or control characters, or more than 16,384 of them: it is no token or key")
    }
    return String(decoding: secret, as: UTF8.self)
  }

  /// A password that a person chose: it may have blanks and letters of every language. Only the line end that editors add is taken away.
  package func readPassword(environment: [String: String]) throws(ConfigurationError) -> String {
    var text = try text(environment)
    while text.last?.isNewline == true { text.removeLast() }
    guard !text.isEmpty else { throw ConfigurationError(file: description, reason: "is empty") }
    guard text.utf8.count <= 16384, text.utf8.allSatisfy({ $0 >= 32 && $0 != 127 }) else {
      throw ConfigurationError(file: description, reason: "holds control characters, or more than 16,384 of them: it is no password")
    }
    return text
  }

  private func text(_ environment: [String: String]) throws(ConfigurationError) -> String {
    switch self {
    case .environment(let name):
      guard let value = environment[name] else { throw ConfigurationError(file: description, reason: "the variable is not set") }
      return value
    case .file(let path): return try Self.content(path)
    }
  }

  private static func content(_ path: String) throws(ConfigurationError) -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw ConfigurationError(file: path, reason: String(cString: strerror(errno))) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw ConfigurationError(file: path, reason: "is no regular file")
    }
    guard status.st_mode & 0o077 == 0 else {
      throw ConfigurationError(file: path, reason: "others can read it; a file with a secret must have mode 0600")
    }
    var buffer = [UInt8](repeating: 0, count: 16386)
    let count = Glibc.read(descriptor, &buffer, buffer.count)
    guard count >= 0 else { throw ConfigurationError(file: path, reason: String(cString: strerror(errno))) }
    return String(decoding: buffer.prefix(count), as: UTF8.self)
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == UInt8(ascii: "_")
  }
}
