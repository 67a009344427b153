import BuildModel
import Cloud

/// Makes one complete release final, and looks what the server made of it.
struct ReleaseFinalizer: Sendable {
  let client: BalenaClient
  let report: @Sendable (PublishEvent) -> Void

  /// The server's word for a release without version.
  private static let unset = "0.0.0"

  /// Tags the release and makes it final; gives it as the server has it then. Nothing of it is undone: everything else must be complete before.
  func finalize(
    _ draft: CloudRelease, as version: ReleaseVersion, _ tags: [String: String], in application: CloudApplication
  ) async throws -> CloudRelease {
    var release = draft
    for (key, value) in tags.sorted(by: { $0.key < $1.key }) where release.tags[key] != value {
      let found = try await client.addTag(key, value, to: release.id)
      guard found == value else {
        throw PublishingError.unexpected(
          what: "tag \(key) of release \(release.id) of \(application.slug)", found: "'\(found)'", expected: "'\(value)'")
      }
    }
    if !release.isFinal {
      try await settle(version, of: release, in: application)
      do {
        try await client.change(release.id, .final)
      } catch let error as CloudError where error.status == 400 {
        // Another release took the revision meanwhile: the identity is the tag then.
        try await client.changeDraft(release.id, .semver(Self.unset))
        try await client.change(release.id, .final)
      } catch let error as CloudError where error.leavesUnknown {
        // Read back below.
      }
      guard let now = try await client.release(release.id) else {
        throw PublishingError.notFound(what: "release \(release.id) of \(application.slug)", available: [])
      }
      release = now
    }
    guard release.isVisible else {
      throw PublishingError.unexpected(
        what: "release \(release.id) of \(application.slug)", found: release.isFinal ? "\(release.status.rawValue) or invalidated" : "a draft still",
        expected: "final and successful; the credential may lack the right to finalize it")
    }
    try await refuseOtherName(release, version, application)
    report(.final(application.slug, release: release.id.number, version: release.rawVersion))
    return release
  }

  /// Gives the draft the version that the server would accept now, or takes it away: others may have finalized since it was made.
  private func settle(_ version: ReleaseVersion, of release: CloudRelease, in application: CloudApplication) async throws {
    let wanted = try await ReleaseLookup(client: client).postedVersion(version, in: application.id) ?? Self.unset
    let isUnset = release.rawVersion == Self.unset || release.rawVersion.hasPrefix(Self.unset + "-")
    guard isUnset != (wanted == Self.unset) else { return }
    try await client.changeDraft(release.id, .semver(wanted))
  }

  /// Two coordinators may have finalized different content in the same moment: the later one then got another name, and is taken back.
  private func refuseOtherName(_ release: CloudRelease, _ version: ReleaseVersion, _ application: CloudApplication) async throws {
    let wanted = version.version.text
    guard release.rawVersion != wanted, !release.rawVersion.hasPrefix(Self.unset) else { return }
    try await client.change(release.id, .invalidated(reason: "published as \(wanted), but that version was taken at the same moment"))
    throw PublishingError.conflict(
      application: application.slug, version: wanted, release: Int(release.id.number),
      reason: "the server called ours \(release.rawVersion); it was invalidated")
  }
}
