import BlobStore
import BuildModel
import Cloud

/// Brings one release to completeness as a draft, and later to final.
///
/// It never carries a list of what it has done: each round reads what the cloud has and does what is missing. So it does not matter who did the rest, this
/// run, one that was killed, or another coordinator at the same time.
struct ReleasePublisher: Sendable {
  let target: PublishTarget
  let account: CloudActor
  let pusher: ImagePusher
  let blobs: BlobStore
  let report: @Sendable (PublishEvent) -> Void

  /// Rounds that a release may take; a plain one takes four.
  private static let rounds = 16
  /// Actions at once for one release.
  private static let width = 4

  private var client: BalenaClient { target.client }
  private var lookup: ReleaseLookup { ReleaseLookup(client: client) }

  /// Makes the draft or goes on with the one that is there, until nothing is missing; gives the release as it was read last.
  func complete(_ description: ReleaseDescription, in application: CloudApplication, isRelease: Bool) async throws -> CloudRelease {
    var missing: [ReleaseAction] = []
    var failure: (error: CloudError, missing: [ReleaseAction])?
    for _ in 0..<Self.rounds {
      guard let release = try await current(description, application) else {
        try await create(description, application, isRelease: isRelease)
        continue
      }
      missing = try description.remaining(in: release, assets: description.assets.isEmpty ? [] : try await client.assets(of: release.id))
      if missing.isEmpty { return release }
      // Nothing has changed since it failed: it was no other coordinator.
      if let failure, failure.missing == missing { throw failure.error }
      failure = nil
      do {
        try await perform(missing, description, application, release)
      } catch let error as CloudError where error.leavesUnknown {
        // What nobody knows is seen in the next round.
      } catch let error as CloudError where error.wasOvertaken {
        failure = (error, missing)
      }
    }
    if let failure { throw failure.error }
    throw PublishingError.unsettled(
      what: "the release of \(application.slug) \(description.version.version)", remaining: missing.map(\.description).joined(separator: ", "))
  }

  /// The release with our commit that counts. Surplus drafts of the same commit are removed: whoever else makes this release chooses the same one.
  private func current(_ description: ReleaseDescription, _ application: CloudApplication) async throws -> CloudRelease? {
    let all = try await client.releases(commit: description.commit, of: application.id)
    guard let chosen = ReleaseStanding.chosen(all) else { return nil }
    for surplus in all where surplus.id != chosen.id && surplus.status == .running && !surplus.isFinal {
      try await client.remove(release: surplus.id)
    }
    return chosen
  }

  private func create(_ description: ReleaseDescription, _ application: CloudApplication, isRelease: Bool) async throws {
    // Without a version a draft from an untagged commit cannot be taken for one of the tag.
    let semver = isRelease ? try await lookup.postedVersion(description.version, in: application.id) : nil
    let user = account.kind == .user ? RowID<UserTable>(account.ownID) : nil
    let release = try await client.createRelease(
      of: application.id, by: user, commit: description.commit, composition: description.composition, contract: description.contract,
      semver: semver, start: .now)
    report(.draft(application.slug, release: release.id.number))
  }

  private func perform(
    _ actions: [ReleaseAction], _ description: ReleaseDescription, _ application: CloudApplication, _ release: CloudRelease
  ) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      var rest = actions[...]
      func startNext() {
        guard let action = rest.popFirst() else { return }
        group.addTask { try await perform(action, description, application, release) }
      }
      for _ in 0..<Self.width { startNext() }
      while try await group.next() != nil { startNext() }
    }
  }

  private func perform(
    _ action: ReleaseAction, _ description: ReleaseDescription, _ application: CloudApplication, _ release: CloudRelease
  ) async throws {
    switch action {
    case .addImage(let service):
      let id = try await client.service(service, of: application.id)
      try await client.addImage(of: id, to: release.id, start: .now)
    case .removeImage(let id, _): try await client.remove(id)
    case .addLabel(_, let id, let name, let value): try await client.addLabel(name, value, to: id)
    case .push(let service, let id, let location):
      guard let wanted = description.services[service] else { return }
      report(.pushing(application.slug, service: service))
      let size = try await pusher.push(wanted.image, to: location)
      try await client.markPushed(id, manifest: wanted.image.manifest.digest, size: size, at: .now)
    case .putAsset(let asset):
      report(.attaching(application.slug, asset: asset.key.text))
      try await client.putAsset(
        asset.key.text, file: blobs.path(asset.blob.digest), size: asset.blob.size, filename: asset.key.lastComponent,
        contentType: ContentType.of(asset.key), release: release.id)
    case .markComplete: try await client.change(release.id, .ended(.success, at: .now))
    }
  }

  // MARK: Final

  /// Tags the release and makes it final; gives what the server calls it. Nothing of it is undone: everything else must be complete before.
  func finalize(_ description: ReleaseDescription, _ tags: [String: String], in application: CloudApplication) async throws -> CloudRelease {
    guard var release = try await current(description, application) else {
      throw PublishingError.notFound(what: "release of \(application.slug) with commit \(description.commit)", available: [])
    }
    for (key, value) in tags.sorted(by: { $0.key < $1.key }) where release.tags[key] != value {
      let found = try await client.addTag(key, value, to: release.id)
      guard found == value else {
        throw PublishingError.unexpected(
          what: "tag \(key) of release \(release.id) of \(application.slug)", found: "'\(found)'", expected: "'\(value)'")
      }
    }
    if !release.isFinal {
      try await settleVersion(description, application, release)
      do {
        try await client.change(release.id, .final)
      } catch let error as CloudError where error.status == 400 {
        // Another release took the revision meanwhile: the identity is the tag then.
        try await client.changeDraft(release.id, .semver(Self.unset))
        try await client.change(release.id, .final)
      } catch let error as CloudError where error.leavesUnknown {}
      guard let now = try await client.release(release.id) else {
        throw PublishingError.notFound(what: "release \(release.id) of \(application.slug)", available: [])
      }
      release = now
    }
    guard release.isVisible else {
      throw PublishingError.unexpected(
        what: "release \(release.id) of \(application.slug)", found: release.isFinal ? "\(release.status) or invalidated" : "a draft still",
        expected: "final and successful; the credential may lack the right to finalize it")
    }
    try await refuseOtherName(release, description, application)
    report(.final(application.slug, release: release.id.number, version: release.rawVersion))
    return release
  }

  /// The server's word for a release without version.
  private static let unset = "0.0.0"

  /// Gives the draft the version that the server would accept now, or takes it away: others may have finalized since it was made.
  private func settleVersion(_ description: ReleaseDescription, _ application: CloudApplication, _ release: CloudRelease) async throws {
    let wanted = try await lookup.postedVersion(description.version, in: application.id) ?? Self.unset
    let isUnset = release.rawVersion == Self.unset || release.rawVersion.hasPrefix(Self.unset + "-")
    guard isUnset != (wanted == Self.unset) else { return }
    try await client.changeDraft(release.id, .semver(wanted))
  }

  /// Two coordinators may have finalized different content in the same moment: the later one then got another name, and is taken back.
  private func refuseOtherName(_ release: CloudRelease, _ description: ReleaseDescription, _ application: CloudApplication) async throws {
    let version = description.version.version.text
    guard release.rawVersion != version, !release.rawVersion.hasPrefix(Self.unset) else { return }
    try await client.change(release.id, .invalidated(reason: "published as \(version), but that version was taken at the same moment"))
    throw PublishingError.conflict(
      application: application.slug, version: version, release: Int(release.id.number),
      reason: "the server called ours \(release.rawVersion); it was invalidated")
  }
}

extension CloudError {
  /// A refusal that another coordinator may have caused: the row is gone, there already, or the release complete already.
  fileprivate var wasOvertaken: Bool { [400, 401, 404, 409].contains(status ?? 0) }
}
