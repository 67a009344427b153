import Balena
import BuildModel
import HTTP

/// An application as it is to be.
package struct ApplicationSetup: Sendable {
  package var name: ApplicationName
  package var deviceType: CloudDeviceType
  /// True makes it public; false leaves it as it is made.
  package var isPublic: Bool
  /// Only the application of the hostapp itself.
  package var isHost: Bool
  package var repositoryURL: String?
  package var isESR: Bool

  /// Class of every application here, blocks included.
  static let applicationClass = "app"
  static let policyTag = "release-policy"

  /// Makes the application if it is not there and sets what differs, each written value read back. Safe to repeat after any interruption.
  package func apply(to target: PublishTarget) async throws -> CloudApplication {
    let client = target.client
    var application = try await find(client)
    if application == nil {
      guard let organization = try await client.organization(handle: name.organization) else {
        throw PublishingError.notFound(what: "organization '\(name.organization)' that this credential can see", available: [])
      }
      application = try await Self.explained("creating \(name)") {
        try await client.createApplication(
          slug: name.slug, name: name.name, organization: organization, deviceType: deviceType.id, applicationClass: Self.applicationClass)
      }
    }
    guard let found = application else { throw PublishingError.notFound(what: "application \(name)", available: []) }
    guard found.deviceType == deviceType.slug else {
      throw PublishingError.unexpected(
        what: "the device type of \(name)", found: found.deviceType.map { "'\($0)'" } ?? "none", expected: "'\(deviceType.slug)'")
    }
    if let team = target.team { try await grant(team, found, client) }
    if isPublic, !found.isPublic {
      try await set(.isPublic(true), "is_public", found, client) { $0.isPublic }
    }
    if let repositoryURL {
      let there = try await client.repositoryURL(of: found.id)
      if there.isKnown, there.url != repositoryURL {
        try await Self.explained("setting the repository URL of \(name)") { try await client.change(found.id, .repositoryURL(repositoryURL)) }
        guard try await client.repositoryURL(of: found.id).url == repositoryURL else { throw ignored("is_stored_at__repository_url") }
      }
    }
    if found.applicationClass != Self.applicationClass {
      try await set(.applicationClass(Self.applicationClass), "is_of__class", found, client) { $0.applicationClass == Self.applicationClass }
    }
    if isHost, !found.isHost { try await set(.isHost(true), "is_host", found, client) { $0.isHost } }
    if isESR, found.tags[Self.policyTag] != "esr" {
      let value = try await client.setTag(Self.policyTag, to: "esr", of: found.id)
      guard value == "esr" else { throw ignored("tag " + Self.policyTag) }
    }
    guard let ready = try await find(client) else { throw PublishingError.notFound(what: "application \(name)", available: []) }
    return ready
  }

  private func find(_ client: BalenaClient) async throws -> CloudApplication? { try await client.application(slug: name.slug) }

  private func grant(_ team: PublishTarget.Team, _ application: CloudApplication, _ client: BalenaClient) async throws {
    guard let id = try await client.team(team.name, organization: name.organization) else {
      throw PublishingError.notFound(what: "team '\(team.name)' in organization '\(name.organization)'", available: [])
    }
    if try await client.hasAccess(id, to: application.id) { return }
    guard let role = try await client.role(team.role) else { throw PublishingError.notFound(what: "application role '\(team.role)'", available: []) }
    try await Self.explained("giving team '\(team.name)' access to \(name)") { try await client.grant(id, role, in: application.id) }
  }

  private func set(
    _ change: BalenaClient.ApplicationChange, _ field: String, _ application: CloudApplication, _ client: BalenaClient,
    isSet: (CloudApplication) -> Bool
  ) async throws {
    try await Self.explained("setting \(field) of \(name)") { try await client.change(application.id, change) }
    guard let now = try await find(client), isSet(now) else { throw ignored(field) }
  }

  private func ignored(_ field: String) -> PublishingError {
    .refused(what: "setting \(field) of \(name)", hint: "the server said yes and changed nothing; \(Self.rights)")
  }

  private static let rights = "API keys may not change it, the session token of an administrator of the organization may"

  /// Says what an empty refusal was about.
  private static func explained<Value>(_ what: String, _ work: () async throws -> Value) async throws -> Value {
    do {
      return try await work()
    } catch let error as any ExchangeFailure where error.status == 401 || error.status == 403 {
      throw PublishingError.refused(what: what, hint: rights)
    }
  }
}
