import Balena

/// Where to publish and as whom.
package struct PublishTarget: Sendable {
  package var client: BalenaClient
  package var organization: String
  /// A team of the organization that gets a role in new applications.
  package var team: Team?

  package struct Team: Hashable, Sendable {
    package var name: String
    package var role: String
    package init(name: String, role: String) {
      self.name = name
      self.role = role
    }
  }

  package init(client: BalenaClient, organization: String, team: Team? = nil) {
    self.client = client
    self.organization = organization
    self.team = team
  }

  /// Asks the server who we are: it treats a wrong credential as a guest instead of refusing it.
  package func account() async throws -> CloudActor {
    guard !client.isGuest else {
      throw PublishingError.refused(what: "publishing to \(client.api.origin)", hint: "it needs a token; name one in farm.yaml")
    }
    guard let actor = try await client.whoAmI() else {
      throw PublishingError.refused(
        what: "the credential for \(client.api.origin)",
        hint: "the server does not know it; check that the token is of this environment and not expired")
    }
    return actor
  }

  /// Before reading: that a credential is unknown must not look as if there were nothing. Without any, reading as a guest is what is wanted.
  func checkReader() async throws {
    if !client.isGuest { _ = try await account() }
  }
}
