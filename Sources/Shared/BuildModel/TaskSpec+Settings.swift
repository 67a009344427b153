extension TaskSpec {
  /// Choices of a request that every build wrapper gets.
  package struct Settings: Hashable, Sendable {
    /// A development image (barys' `-d`).
    package var isDevelopment: Bool
    /// nil for the one that the repository pins.
    package var supervisorVersion: SupervisorVersion?
    /// Absolute path on the build's host in place of the worker's own caches: `shared-downloads`, and `<MACHINE>/sstate`. It changes no result.
    package var sharedDirectory: String?
    /// What the request adds to the build's local.conf; sorted by name.
    package var variables: [AdditionalVariable]

    package init(
      isDevelopment: Bool = false, supervisorVersion: SupervisorVersion? = nil, sharedDirectory: String? = nil, variables: [AdditionalVariable] = []
    ) {
      self.variables = variables
      self.isDevelopment = isDevelopment
      self.supervisorVersion = supervisorVersion
      self.sharedDirectory = sharedDirectory
    }

    /// What results depend on.
    package var inputs: Settings { Settings(isDevelopment: isDevelopment, supervisorVersion: supervisorVersion, variables: variables) }

    /// Whether a text can be ``sharedDirectory``: absolute, no `..`, no control character. No blank either: a wrapper splits its words there.
    package static func isDirectory(_ path: String) -> Bool {
      path.hasPrefix("/") && path.utf8.count <= 1024 && path.utf8.allSatisfy { $0 > 32 && $0 != 127 } && !path.split(separator: "/").contains("..")
    }
  }
}

/// `variables` is left out where there are none: so the keys of what was made before there were any stay what they are.
extension TaskSpec.Settings: Codable {
  private enum CodingKeys: String, CodingKey { case isDevelopment, supervisorVersion, sharedDirectory, variables }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      isDevelopment: try container.decode(Bool.self, forKey: .isDevelopment),
      supervisorVersion: try container.decodeIfPresent(SupervisorVersion.self, forKey: .supervisorVersion),
      sharedDirectory: try container.decodeIfPresent(String.self, forKey: .sharedDirectory),
      variables: try container.decodeIfPresent([AdditionalVariable].self, forKey: .variables) ?? [])
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(isDevelopment, forKey: .isDevelopment)
    try container.encodeIfPresent(supervisorVersion, forKey: .supervisorVersion)
    try container.encodeIfPresent(sharedDirectory, forKey: .sharedDirectory)
    if !variables.isEmpty { try container.encode(variables, forKey: .variables) }
  }
}

/// Kind of a supervisor's version or tag, for example `v12.11.0`.
package enum SupervisorVersionKind: NameKind {
  package static let noun = "supervisor version"
  package static func allows(_ byte: UInt8) -> Bool { MachineKind.allows(byte) }
}

package typealias SupervisorVersion = Name<SupervisorVersionKind>
