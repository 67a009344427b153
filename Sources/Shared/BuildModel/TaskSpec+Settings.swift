extension TaskSpec {
  /// Choices of a request that every build wrapper gets.
  package struct Settings: Codable, Hashable, Sendable {
    /// A development image (barys' `-d`).
    package var isDevelopment: Bool
    /// nil for the one that the repository pins.
    package var supervisorVersion: SupervisorVersion?
    /// Absolute path on the build's host in place of the worker's own caches: `shared-downloads`, and `<MACHINE>/sstate`. It changes no result.
    package var sharedDirectory: String?

    package init(isDevelopment: Bool = false, supervisorVersion: SupervisorVersion? = nil, sharedDirectory: String? = nil) {
      self.isDevelopment = isDevelopment
      self.supervisorVersion = supervisorVersion
      self.sharedDirectory = sharedDirectory
    }

    /// What results depend on.
    package var inputs: Settings { Settings(isDevelopment: isDevelopment, supervisorVersion: supervisorVersion) }

    /// Whether a text can be ``sharedDirectory``: absolute, no `..`, no control character. No blank either: a wrapper splits its words there.
    package static func isDirectory(_ path: String) -> Bool {
      path.hasPrefix("/") && path.utf8.count <= 1024 && path.utf8.allSatisfy { $0 > 32 && $0 != 127 } && !path.split(separator: "/").contains("..")
    }
  }
}

/// Kind of a supervisor's version or tag, for example `v12.11.0`.
package enum SupervisorVersionKind: NameKind {
  package static let noun = "supervisor version"
  package static func allows(_ byte: UInt8) -> Bool { MachineKind.allows(byte) }
}

package typealias SupervisorVersion = Name<SupervisorVersionKind>
