import Balena
import BuildModel
import HTTP

/// Makes one complete release final, and looks what the server made of it.
struct ReleaseFinalizer: Sendable {
  let client: BalenaClient
  let report: @Sendable (PublishEvent) -> Void

  /// Tags the release and makes it final; gives it as the server has it then. Nothing of it is undone: everything else must be complete before.
  ///
  /// `isAlone`: no other release of the version may have other content. One that appears while this is under way is a conflict; that may be seen only
  /// when both are final, and the later one is invalidated then. What was final before this began is never invalidated, whatever is wrong with it.
  func finalize(
    _ draft: CloudRelease, as version: ReleaseVersion, isAlone: Bool, _ tags: [String: String], in application: CloudApplication
  ) async throws -> CloudRelease {
    if let name = draft.name, name != version.version.text {
      throw PublishingError.invalid(
        what: "release \(draft.id) of \(application.slug)", reason: "the server calls it \(name), so it cannot be published as \(version.version)")
    }
    var tags = tags
    if !isAlone { tags[ReleaseLookup.conflictAllowedTag] = version.version.text }
    for (key, value) in tags.sorted(by: { $0.key < $1.key }) where draft.tags[key] != value {
      let found = try await client.addTag(key, value, to: draft.id)
      guard found == value else {
        throw PublishingError.unexpected(
          what: "tag \(key) of release \(draft.id) of \(application.slug)", found: "'\(found)'", expected: "'\(value)'")
      }
    }
    let isAlone = isAlone && draft.tags[ReleaseLookup.conflictAllowedTag] == nil
    let release = draft.isFinal ? draft : try await makeFinal(draft, version, isAlone: isAlone, application)
    guard release.isVisible else {
      throw PublishingError.unexpected(
        what: "release \(release.id) of \(application.slug)", found: release.isFinal ? "\(release.status.rawValue) or invalidated" : "a draft still",
        expected: "final and successful; the credential may lack the right to finalize it")
    }
    if !draft.isFinal { try await refuseOtherName(release, version, application) }
    if isAlone { try await yieldToRival(release, wasFinal: draft.isFinal, version, application) }
    if !draft.isFinal { report(.final(application.slug, release: release.id.number, version: version.version.text, name: release.rawVersion)) }
    return release
  }

  private func makeFinal(
    _ draft: CloudRelease, _ version: ReleaseVersion, isAlone: Bool, _ application: CloudApplication
  ) async throws -> CloudRelease {
    let isNamed = try await settle(version, of: draft, in: application)
    // The server refuses a second release of a name, but not of a tag; and that it has no name may be because of a rival.
    if isAlone, !isNamed { try await refuseRival(of: draft, version, application) }
    do {
      try await client.change(draft.id, .final)
    } catch let error as any ExchangeFailure where error.status == 400 {
      // Another release took the revision meanwhile: the identity is the tag then.
      if isAlone { try await refuseRival(of: draft, version, application) }
      try await client.changeDraft(draft.id, .semver(ReleaseVersion.unset))
      try await client.change(draft.id, .final)
    } catch let error as any ExchangeFailure where error.leavesUnknown {
      // Read back below.
    }
    guard let now = try await client.release(draft.id) else {
      throw PublishingError.notFound(what: "release \(draft.id) of \(application.slug)", available: [])
    }
    return now
  }

  /// Gives the draft the version that the server would accept now, or takes it away: others may have finalized since it was made. Says whether it has one.
  private func settle(_ version: ReleaseVersion, of release: CloudRelease, in application: CloudApplication) async throws -> Bool {
    let wanted = try await ReleaseLookup(client: client).postedVersion(version, in: application.id) ?? ReleaseVersion.unset
    if (release.name == nil) != (wanted == ReleaseVersion.unset) { try await client.changeDraft(release.id, .semver(wanted)) }
    return wanted != ReleaseVersion.unset
  }

  private func rivals(
    of release: CloudRelease, _ version: ReleaseVersion, _ application: CloudApplication
  ) async throws -> [(release: CloudRelease, reason: String)] {
    ReleaseStanding.rivals(of: release, among: try await ReleaseLookup(client: client).all(version.version, in: application.id))
  }

  private func refuseRival(of release: CloudRelease, _ version: ReleaseVersion, _ application: CloudApplication) async throws {
    guard let (other, reason) = try await rivals(of: release, version, application).first else { return }
    throw PublishingError.conflict(
      application: application.slug, version: version.version.text, release: Int(other.id.number), reason: reason)
  }

  /// Each of two coordinators may have seen nothing of the other until both were final. Who looks after that sees the other one, so the later one yields.
  private func yieldToRival(
    _ release: CloudRelease, wasFinal: Bool, _ version: ReleaseVersion, _ application: CloudApplication
  ) async throws {
    let earlier = try await rivals(of: release, version, application).first { rival in
      rival.release.tags[ReleaseLookup.conflictAllowedTag] == nil && !(release.precedes(rival.release) ?? wasFinal)
    }
    guard let (other, reason) = earlier else { return }
    func conflict(_ rest: String) -> PublishingError {
      .conflict(
        application: application.slug, version: version.version.text, release: Int(other.id.number),
        reason: "\(reason); ours, release \(release.id), \(rest)")
    }
    guard !wasFinal else { throw conflict("is final as well: one of them has to be invalidated") }
    try await client.change(
      release.id, .invalidated(reason: "release \(other.id) became \(version.version.text) with other content at the same moment"))
    throw conflict("was final at the same moment and was invalidated")
  }

  /// Two coordinators may have finalized different content in the same moment: the later one then got another name, and is taken back.
  private func refuseOtherName(_ release: CloudRelease, _ version: ReleaseVersion, _ application: CloudApplication) async throws {
    let wanted = version.version.text
    guard let name = release.name, name != wanted else { return }
    try await client.change(release.id, .invalidated(reason: "published as \(wanted), but that version was taken at the same moment"))
    throw PublishingError.conflict(
      application: application.slug, version: wanted, release: Int(release.id.number),
      reason: "the server called ours \(name); it was invalidated")
  }
}
