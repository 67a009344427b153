/// Who asks, and with what.
package enum Principal: Hashable, Sendable {
  package enum Credential: Hashable, Sendable {
    case apiKey
    /// The time of the login with a password.
    case session(authenticated: CloudDate)
  }

  /// Also everybody whose credential is unknown.
  case guest
  case user(CloudUser, Credential)

  var user: CloudUser? { if case .user(let user, _) = self { user } else { nil } }

  /// A named API key has a fixed role, whatever its user may do.
  var isAdminSession: Bool { if case .user(let user, .session) = self { user.isAdmin } else { false } }
}

/// An account with its members' places.
package struct CloudUser: Hashable, Sendable {
  package let id: Int
  package var actor: Int
  package var username: String
  package var email: String
  package var password: String
  package var isAdmin: Bool
  /// Ids of the organizations that it belongs to.
  package var organizations: Set<Int>
  /// The code of the second factor, when the account has one.
  package var secondFactor: String?
  /// Part of every session token; rotated, it ends them all.
  var tokenSecret: String
}
